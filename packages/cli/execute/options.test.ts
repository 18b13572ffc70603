import { describe, expect, it } from 'vitest';
import { CommandLineEnd } from '../command_line/arguments.ts';
import { type ExecuteOptions, parseOptions } from './options.ts';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:realtime-embedding-sf-prod';
const EXECUTION = 'arn:aws:states:eu-west-1:111122223333:execution:realtime-embedding-sf-prod:x';
const KEY = '{"image_id": "3f52804b-2fad-4e00-92c8-b593da3a8ed3", "receipt_id": 2}';

interface Parsed {
  readonly options?: ExecuteOptions;
  readonly exitStatus?: number;
  readonly out: string;
  readonly err: string;
}

function parse(...argv: string[]): Parsed {
  const written = { out: '', err: '' };
  try {
    const options = parseOptions(argv, {
      writeOut: (text) => (written.out += text),
      writeErr: (text) => (written.err += text),
    });
    return { options, ...written };
  } catch (error) {
    if (error instanceof CommandLineEnd) return { exitStatus: error.exitStatus, ...written };
    throw error;
  }
}

describe('the options of receipts execute', () => {
  it('start a workflow with an empty input, and do not wait, unless said otherwise', () => {
    expect(parse('batch-poll').options).toStrictEqual({
      kind: 'start',
      workflow: 'batch-poll',
      input: {},
      wait: false,
      json: false,
    });
  });

  it("make the realtime workflow's whole input", () => {
    const input = ['--limit', '10', '--filter', 'NONE', '--force', '--exclusive-start-key', KEY];

    expect(
      parse('realtime', ...input, '--stack', 'prod', '--name', 'mine', '--wait', '--json').options,
    ).toStrictEqual({
      kind: 'start',
      workflow: 'realtime',
      stack: 'prod',
      name: 'mine',
      input: {
        limit: 10,
        filter_by_embedding_status: 'NONE',
        force: true,
        exclusive_start_key: {
          image_id: '3f52804b-2fad-4e00-92c8-b593da3a8ed3',
          receipt_id: 2,
        },
      },
      wait: true,
      json: true,
    });
  });

  it("make a submission's whole input", () => {
    const { options } = parse(
      'batch-submit',
      '--limit',
      '5',
      '--entity',
      'words',
      '--arn',
      MACHINE,
    );

    expect(options).toStrictEqual({
      kind: 'start',
      workflow: 'batch-submit',
      arn: MACHINE,
      input: { limit: 5, entity: 'words' },
      wait: false,
      json: false,
    });
  });

  it('watch an execution', () => {
    expect(parse('--watch', EXECUTION, '--wait', '--json').options).toStrictEqual({
      kind: 'watch',
      executionArn: EXECUTION,
      json: true,
    });
  });

  it.each([
    ['batch-poll --limit 3', '--limit belongs to realtime and batch-submit, not to batch-poll'],
    ['batch-submit --filter NONE', '--filter belongs to realtime, not to batch-submit'],
    ['batch-poll --force', '--force belongs to realtime, not to batch-poll'],
    [
      'batch-submit --exclusive-start-key {"image_id":"3f52804b-2fad-4e00-92c8-b593da3a8ed3","receipt_id":2}',
      '--exclusive-start-key belongs to realtime, not to batch-submit',
    ],
    ['realtime --entity both', '--entity belongs to batch-submit, not to realtime'],
    ['', 'which workflow? One of realtime, batch-submit, batch-poll.'],
    ['realtimes', 'Allowed choices are realtime, batch-submit, batch-poll.'],
    ['realtime batch-poll', 'too many arguments'],
    ['realtime --limit 0', 'It must be a whole number from 1.'],
    ['realtime --limit ten', 'It must be a whole number from 1.'],
    ['realtime --filter NOISE', 'Allowed choices are NONE, PENDING, SUCCESS, FAILED.'],
    ['realtime --exclusive-start-key {}', 'It must be JSON'],
    ['realtime --exclusive-start-key nothing', 'It must be JSON'],
    ['batch-submit --entity all', 'Allowed choices are lines, words, both.'],
    [`realtime --arn ${EXECUTION}`, 'It must be the ARN of a state machine.'],
    [`realtime --arn ${MACHINE} --stack dev`, 'cannot be used with'],
    [`--watch ${MACHINE}`, 'It must be the ARN of an execution.'],
    [`realtime --watch ${EXECUTION}`, 'starts nothing, so realtime has no place beside it'],
    [`--watch ${EXECUTION} --stack dev`, '--stack belongs to starting a workflow, not to --watch'],
    [`--watch ${EXECUTION} --force`, '--force belongs to starting a workflow, not to --watch'],
    ['realtime --lmit 3', 'unknown option'],
  ])('are refused: %s', (line, problem) => {
    const { exitStatus, err, out } = parse(...line.split(' ').filter((part) => part !== ''));

    expect([exitStatus, out]).toStrictEqual([2, '']);
    expect(err).toContain(problem);
    expect(err).toContain('npx receipts execute --help');
  });

  it('take the version of a state machine, and those of other partitions', () => {
    const china = 'arn:aws-cn:states:cn-north-1:111122223333:stateMachine:machine';

    expect(parse('realtime', '--arn', `${MACHINE}:3`).options).toMatchObject({
      arn: `${MACHINE}:3`,
    });
    expect(parse('realtime', '--arn', china).options).toMatchObject({ arn: china });
  });

  it('are explained by --help, with the exit codes and what a name does', () => {
    const { exitStatus, out, err } = parse('--help');

    expect([exitStatus, err]).toStrictEqual([0, '']);
    for (const text of [
      '--exclusive-start-key',
      'Exit codes: 0',
      '130 Ctrl-C',
      'same input once',
    ]) {
      expect(out).toContain(text);
    }
  });
});
