import { describe, expect, it } from 'vitest';
import { WrittenText } from '../command_line/testing/written_text.ts';
import { type ExecuteOptions, parseExecuteOptions } from './options.ts';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:realtime-embedding-sf-prod';
const EXECUTION = 'arn:aws:states:eu-west-1:111122223333:execution:realtime-embedding-sf-prod:x';
const KEY = '{"image_id": "3f52804b-2fad-4e00-92c8-b593da3a8ed3", "receipt_id": 2}';

/** @throws CommandLineEnd with the exit status; what was written is in `messages`. */
function parse(argv: readonly string[], messages = new WrittenText()): ExecuteOptions {
  return parseExecuteOptions(argv, { out: new WrittenText(), messages });
}

describe('the options of receipts execute', () => {
  it("make the realtime workflow's whole input", () => {
    const input = ['--limit', '10', '--filter', 'NONE', '--force', '--exclusive-start-key', KEY];

    expect(
      parse(['realtime', ...input, '--stack', 'prod', '--name', 'mine', '--wait', '--json']),
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
    const input = ['--limit', '5', '--entity', 'words', '--arn', `${MACHINE}:3`];

    expect(parse(['batch-submit', ...input])).toStrictEqual({
      kind: 'start',
      workflow: 'batch-submit',
      arn: `${MACHINE}:3`,
      input: { limit: 5, entity: 'words' },
      wait: false,
      json: false,
    });
  });

  it('watch an execution', () => {
    expect(parse(['--watch', EXECUTION, '--wait', '--json'])).toStrictEqual({
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
    ['realtime --exclusive-start-key {}', 'It must be JSON'],
    ['realtime --exclusive-start-key nothing', 'It must be JSON'],
    [`realtime --arn ${EXECUTION}`, 'It must be the ARN of a state machine.'],
    [`realtime --arn ${MACHINE} --stack dev`, 'cannot be used with'],
    [`--watch ${MACHINE}`, 'It must be the ARN of an execution.'],
    [`realtime --watch ${EXECUTION}`, 'starts nothing, so realtime has no place beside it'],
    [`--watch ${EXECUTION} --stack dev`, '--stack belongs to starting a workflow, not to --watch'],
    [`--watch ${EXECUTION} --force`, '--force belongs to starting a workflow, not to --watch'],
  ])('are refused: %s', (line, problem) => {
    const messages = new WrittenText();

    expect(() =>
      parse(
        line.split(' ').filter((part) => part !== ''),
        messages,
      ),
    ).toThrow(expect.objectContaining({ exitStatus: 2 }));
    expect(messages.text).toContain(problem);
  });
});
