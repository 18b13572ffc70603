import type { AwsFault } from 'embedded-aws/aws/faults';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectRunFailed } from '../support/failed_run.ts';
import { expectInvariants } from '../support/invariants.ts';
import { nth, type ProcessReceiptRequest } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipt, smallReceipts } from '../support/stack_receipts.ts';
import { retriesOf } from '../support/state_machine_retries.ts';
import { FUNCTIONS, TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

const error = (status: number, code: string): AwsFault => ({ status, code });

const SLOW_DOWN = error(503, 'SlowDown');
const S3_BROKEN = error(503, 'ServiceUnavailable');
const THROTTLED = error(400, 'ThrottlingException');
const NO_CAPACITY = error(400, 'ProvisionedThroughputExceededException');
const DYNAMODB_BROKEN = error(503, 'ServiceUnavailable');
const CUT: AwsFault = { cut: true };
const ANSWER_LOST: AwsFault = { cut: true, moment: 'after' };

async function invocationsOf<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
  const before = stack.invocations(FUNCTIONS.process);
  return [await work(), stack.invocations(FUNCTIONS.process) - before];
}

describe('a failure of AWS that passes', () => {
  // The SDK tries three times; what is left of a failure after that is the state machine's.
  it.each<
    [string, readonly [ProcessReceiptRequest, AwsFault, times: number][], invocations: number]
  >([
    [
      'at each step once',
      [
        ['the record', DYNAMODB_BROKEN, 1],
        ['the lines', THROTTLED, 2],
        ['a delta', SLOW_DOWN, 2],
        ['the run', CUT, 1],
        ['the order', CUT, 1],
        ['the vectors', error(429, 'TooManyRequestsException'), 2],
        ['a status', NO_CAPACITY, 5],
      ],
      1,
    ],
    [
      'connections that are cut',
      [
        ['a delta', CUT, 2],
        ['the vectors', CUT, 2],
        ['a status', CUT, 2],
      ],
      1,
    ],
    [
      'answers that are lost once all is written',
      [
        ['a delta', ANSWER_LOST, 1],
        ['the run', ANSWER_LOST, 2],
        ['the order', ANSWER_LOST, 2],
        ['the vectors', ANSWER_LOST, 2],
        ['a status', ANSWER_LOST, 2],
      ],
      1,
    ],
    [
      'statuses, of which some are throttled and some fail',
      [
        ['a status', { executed: 3, code: 'ThrottlingError' }, 2],
        ['a status', { executed: 0, code: 'TransactionConflict' }, 1],
        ['a status', { executed: 1, code: 'InternalServerError' }, 2],
      ],
      1,
    ],
    ['a delta: a race for the key', [['a delta', error(409, 'ConditionalRequestConflict'), 2]], 1],
    ['a delta: 503, for longer', [['a delta', S3_BROKEN, 6]], 2],
    ['the words: throttled for longer', [['the words', NO_CAPACITY, 3]], 2],
    ['the run: 503', [['the run', DYNAMODB_BROKEN, 3]], 2],
    ['the order: 503', [['the order', DYNAMODB_BROKEN, 3]], 2],
  ])('(%s) is waited for, and the receipt embedded once', async (_, faults, most) => {
    await stack.load([smallReceipt()]);
    for (const [kind, fault, times] of faults) stack.breakAws({ when: nth(kind), ...fault, times });

    const [{ summary }, invocations] = await invocationsOf(() => stack.run());

    expect(summary).toMatchObject({ total: 1, failed: 0 });
    expect(summary.succeeded + summary.reused).toBe(1);
    expect(invocations).toBe(most);
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(1);
    expect(stack.deltaKeys()).toHaveLength(2);
    await expectInvariants(stack);
  });

  it('(the API key: throttled for longer) is waited for by the state machine', async () => {
    await stack.load([smallReceipt()]);
    stack.killEnvironments(FUNCTIONS.process);
    stack.breakAws({ when: nth('the API key'), ...THROTTLED, times: 3 });

    const [{ summary }, invocations] = await invocationsOf(() => stack.run());

    expect(summary).toMatchObject({ total: 1, succeeded: 1, failed: 0 });
    expect(invocations).toBe(2);
    await expectInvariants(stack);
  });

  it('(unprocessed entries) loses no row of a batch', async () => {
    const receipts = smallReceipts(3);
    stack.breakAws({
      when: ({ operation }) => operation === 'BatchWriteItem',
      processed: 4,
      times: 6,
    });

    await stack.load(receipts);

    const rows = receipts.map(
      ({ lines, words, labels, metadata }) =>
        1 + lines.length + words.length + labels.length + (metadata === undefined ? 0 : 1),
    );
    expect(await stack.rows()).toHaveLength(rows.reduce((sum, count) => sum + count, 0));
  });
});

describe('a failure of AWS that stays', () => {
  it.each<[string, ProcessReceiptRequest, AwsFault, error: string, cause: RegExp]>([
    ['a delta: 503', 'a delta', S3_BROKEN, 'UpstreamUnavailable', /^PutObjectCommand failed/],
    [
      'a delta: no permission',
      'a delta',
      error(403, 'AccessDenied'),
      'InvalidConfiguration',
      /^PutObjectCommand failed: AccessDenied/,
    ],
    [
      'a delta: a race without end',
      'a delta',
      error(409, 'ConditionalRequestConflict'),
      'ConcurrentUpdate',
      /was being written by others/,
    ],
    ['the run: 503', 'the run', DYNAMODB_BROKEN, 'UpstreamUnavailable', /^PutItemCommand failed/],
    ['the order: throttled', 'the order', NO_CAPACITY, 'RateLimited', /^PutItemCommand failed/],
    [
      'the vectors: no permission',
      'the vectors',
      error(403, 'AccessDeniedException'),
      'InvalidConfiguration',
      /^PutVectorsCommand failed: AccessDenied/,
    ],
    // Not throttled: one function waits for that for half a minute, before the state machine begins to (update_statements.test.ts).
    [
      'a status: 503',
      'a status',
      DYNAMODB_BROKEN,
      'UpstreamUnavailable',
      /^BatchExecuteStatementCommand failed/,
    ],
    [
      'a status: half of them refused',
      'a status',
      { executed: 3, code: 'ValidationError' },
      'InvalidRequest',
      /^a statement of BatchExecuteStatementCommand failed: ValidationError/,
    ],
    [
      'a status: no permission',
      'a status',
      error(400, 'AccessDeniedException'),
      'InvalidConfiguration',
      /^BatchExecuteStatementCommand failed: AccessDeniedException/,
    ],
  ])(
    '(%s) is retried as often as the state machine says, then listed, and the rerun does the rest',
    async (_, kind, fault, name, cause) => {
      const receipt = smallReceipt();
      const { image_id, receipt_id } = receipt.receipt;
      await stack.load([receipt]);
      stack.breakAws({ when: nth(kind), ...fault });

      const [{ summary }, invocations] = await invocationsOf(() => stack.run());

      expect(summary.failures).toStrictEqual([
        { image_id, receipt_id, error: name, cause: expect.stringMatching(cause) as string },
      ]);
      expect(invocations).toBe(1 + retriesOf(stack, name));
      await expectInvariants(stack, summary.failures);

      stack.endFaults();
      const again = await stack.run({ filter_by_embedding_status: 'NONE' });

      expect(again.summary).toMatchObject({ total: 1, failed: 0 });
      expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(1);
      await expectInvariants(stack);
    },
  );

  it('(no API key to be had) is a matter of configuration, and costs nothing', async () => {
    await stack.load([smallReceipt()]);
    stack.killEnvironments(FUNCTIONS.process);
    stack.breakAws({ when: nth('the API key'), ...error(400, 'AccessDeniedException') });

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run());

    expect(summary.failures.map(({ error }) => error)).toStrictEqual(['InvalidConfiguration']);
    expect(summary.failures[0]?.cause).toMatch(
      /^the secret arn:aws:secretsmanager:.* can not be read/,
    );
    expect(requests).toBe(0);
    await expectInvariants(stack, summary.failures);
  });

  it('(the list of receipts) fails the execution with the layer’s error, and the next one does all', async () => {
    await stack.load(smallReceipts(2));
    stack.breakAws({
      when: ({ functionName, operation }) =>
        functionName === FUNCTIONS.find && operation === 'Query',
      ...DYNAMODB_BROKEN,
    });

    const { error: name, cause } = expectRunFailed(await stack.local.execute({}));

    expect(name).toBe('UpstreamUnavailable');
    expect(cause).toMatch(/QueryCommand failed: ServiceUnavailable/);

    stack.endFaults();

    expect((await stack.run()).summary).toMatchObject({ total: 2, succeeded: 2 });
    await expectInvariants(stack);
  });

  it('(the results) fails the execution, but what is embedded stays so and is reused', async () => {
    await stack.load(smallReceipts(2));
    stack.breakAws({
      when: ({ functionName }) => functionName === FUNCTIONS.summarize,
      ...S3_BROKEN,
    });

    const execution = await stack.local.execute({});

    expect(expectRunFailed(execution).error).toBe('UpstreamUnavailable');
    await expectInvariants(stack);

    stack.endFaults();

    expect((await stack.run()).summary).toMatchObject({ total: 2, reused: 2 });
  });
});
