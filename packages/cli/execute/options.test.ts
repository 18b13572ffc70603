import { describe, expect, it } from 'vitest';
import { WrittenText } from '../command_line/testing/written_text.ts';
import { type ExecuteOptions, parseExecuteOptions } from './options.ts';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:realtime-embedding-sf-prod';
const EXECUTION = 'arn:aws:states:eu-west-1:111122223333:execution:realtime-embedding-sf-prod:x';
const IMAGE = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
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

  it('name receipts, as often as they come', () => {
    const other = '4f52804b-2fad-4e00-92c8-b593da3a8ed3';
    const line = `realtime --receipt ${IMAGE} 2 --force --receipt ${other} 10 --wait`;

    expect(parse(line.split(' '))).toMatchObject({
      input: {
        receipts: [
          { image_id: IMAGE, receipt_id: 2 },
          { image_id: other, receipt_id: 10 },
        ],
        force: true,
      },
      wait: true,
    });
  });

  it.each(['realtime', 'batch-submit', 'batch-poll'])('let %s be alone', (workflow) => {
    expect(parse([workflow, '--alone'])).toMatchObject({ input: { alone: true } });
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
    [`realtime --receipt ${IMAGE}`, `not ${IMAGE} `],
    [`realtime --receipt ${IMAGE} 2 ${IMAGE} two`, `not ${IMAGE} two`],
    [`realtime --receipt ${IMAGE} 0`, `not ${IMAGE} 0`],
    ['realtime --receipt image 1', 'not image 1'],
    [`realtime --receipt ${IMAGE} 1 --limit 3`, '--limit can not go with --receipt'],
    [`realtime --receipt ${IMAGE} 1 --alone`, '--alone can not go with --receipt'],
    [`batch-submit --receipt ${IMAGE} 1`, '--receipt belongs to realtime, not to batch-submit'],
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

  it('refuse a thousand receipts and one', () => {
    const messages = new WrittenText();
    const named = Array.from({ length: 1_001 }, () => ['--receipt', IMAGE, '1']).flat();

    expect(() => parse(['realtime', ...named], messages)).toThrow(
      expect.objectContaining({ exitStatus: 2 }),
    );
    expect(messages.text).toContain('--receipt may come 1000 times, and not 1001');
  });
});
