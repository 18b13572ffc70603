import type { AwsFault } from 'embedded-aws/aws/faults';
import type { FaultRule } from 'vendor-stand-ins/openai/faults';
import type { FaultRule as PineconeFaultRule } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BATCH_FUNCTIONS, BatchStack } from '../support/batch_stack.ts';
import { BATCH_REQUESTS, type BatchRequest } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { lineReceipts } from '../support/stack_receipts.ts';
import { retriesOfState } from '../support/state_machine_retries.ts';

/** Lines of the one receipt, and of the one batch, that a test is about. */
const LINES = 2;

type Called = keyof typeof BATCH_FUNCTIONS;

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
  await stack.load(lineReceipts(1, LINES));
  before = counts();
});

let before: Counts;

interface Counts {
  readonly invocations: Readonly<Record<Called, number>>;
  /** Batches that OpenAI has created. */
  readonly created: number;
  /** Rows that OpenAI has embedded. */
  readonly embedded: number;
}

function counts(): Counts {
  const { batches, requests } = stack.local.openai.batchUsage;
  const invocations = Object.entries(BATCH_FUNCTIONS).map(
    ([name, deployed]) => [name, stack.invocations(deployed)] as const,
  );
  return {
    invocations: Object.fromEntries(invocations) as Counts['invocations'],
    created: batches,
    embedded: requests,
  };
}

/** How often each function ran in this test, those that ran as often as without any fault left out. */
function unusualInvocations(): Partial<Record<Called, number>> {
  const now = counts().invocations;
  const ran = (Object.keys(now) as Called[]).map(
    (name) => [name, now[name] - before.invocations[name]] as const,
  );
  return Object.fromEntries(ran.filter(([name, times]) => times !== (name === 'release' ? 0 : 1)));
}

async function expectEmbeddedOnce(): Promise<void> {
  const { created, embedded } = counts();
  expect([created - before.created, embedded - before.embedded]).toStrictEqual([1, LINES]);
  expect(await stack.batch()).toMatchObject({
    status: 'COMPLETED',
    requested: LINES,
    succeeded: LINES,
    failed: 0,
    released: 0,
  });
  expect(await stack.statuses()).toStrictEqual({ SUCCESS: LINES });
  expect((await stack.vectors()).lines.size).toBe(LINES);
  await expectBatchInvariants(stack);
}

type Break = () => void;

function aws(request: BatchRequest, fault: AwsFault, times = Infinity): Break {
  return () => {
    stack.breakAws({ when: BATCH_REQUESTS[request], ...fault, times });
  };
}

function s3(name: Called, file: string, fault: AwsFault, times = Infinity): Break {
  return () => {
    stack.breakAws({
      when: ({ functionName, service, operation }) =>
        functionName === BATCH_FUNCTIONS[name] && service === 's3' && operation.includes(file),
      ...fault,
      times,
    });
  };
}

function openai(rule: FaultRule): Break {
  return () => {
    stack.untilReset(stack.local.openai.fault(rule));
  };
}

function pinecone(rule: PineconeFaultRule): Break {
  return () => {
    stack.breakPinecone({ when: ({ operation }) => operation === 'upsert', ...rule });
  };
}

/**
 * A batch that may have been created is looked for during 20 seconds, which nobody waits for here: the mark of when that
 * began is a year older, by the time it is written.
 */
function settleAtOnce(): void {
  stack.breakAws({
    when: (request) => {
      if (BATCH_REQUESTS['submit: the time of the creation'](request)) {
        const at = request.body.indexOf('20', request.body.indexOf('":creating_since"'));
        request.body.write(String(new Date().getUTCFullYear() - 1), at);
      }
      return false;
    },
    cut: true,
  });
}

const error = (status: number, code: string): AwsFault => ({ status, code });

const THROTTLED = error(400, 'ProvisionedThroughputExceededException');
const DYNAMODB_BROKEN = error(503, 'ServiceUnavailable');
const SLOW_DOWN = error(503, 'SlowDown');
const ANSWER_LOST: AwsFault = { cut: true, moment: 'after' };
const CUT: AwsFault = { cut: true };

describe('a failure that passes is waited for, and the batch embedded once:', () => {
  // The SDK tries three times; what is left of a failure after that is the state machine's.
  it.each<[string, readonly Break[], Partial<Record<Called, number>>]>([
    [
      'by the functions themselves, at each step once',
      [
        aws('submit: a claim', THROTTLED, 5),
        s3('submit', '/requests.jsonl', SLOW_DOWN, 2),
        openai({ on: 'files.create', status: 429, retryAfter: 0, times: 2 }),
        openai({ on: 'batches.retrieve', status: 429, retryAfter: 0, times: 1 }),
        openai({ on: 'files.content', status: 500, retryAfter: 0, times: 2 }),
        pinecone({ status: 429, retryAfter: 0, times: 3 }),
        aws('write: a status', THROTTLED, 5),
        aws('write: the result rows', { processed: 0 }, 3),
      ],
      {},
    ],
    [
      'by the functions themselves, when an answer is lost or half of it is done',
      [
        aws('submit: a claim', { executed: 1, code: 'ThrottlingError' }, 1),
        aws('submit: a claim', CUT, 2),
        openai({ on: 'files.create', cut: true, moment: 'after', times: 1 }),
        pinecone({ status: 500, retryAfter: 0, times: 2 }),
        aws('write: a status', { executed: 1, code: 'InternalServerError' }, 1),
        aws('write: a status', ANSWER_LOST, 1),
        aws('write: the result rows', { processed: 1 }, 1),
      ],
      {},
    ],
    [
      'by the functions themselves: Pinecone, its answer lost',
      [pinecone({ cut: true, moment: 'after', times: 1 })],
      {},
    ],
    [
      'by the state machine, at each step once',
      [
        s3('submit', '/plan.jsonl', error(503, 'ServiceUnavailable'), 3),
        openai({ on: 'batches.retrieve', status: 500, retryAfter: 0, times: 3 }),
        openai({ on: 'files.content', cutAfterBytes: 600, times: 1 }),
        pinecone({ status: 503, retryAfter: 0, times: 3 }),
        s3('write', '/part-', SLOW_DOWN, 3),
        aws('complete: the end', DYNAMODB_BROKEN, 3),
      ],
      { submit: 2, status: 2, download: 2, upsert: 2, write: 2, complete: 2 },
    ],
    [
      'by the state machine, when the answers that are lost are those to records',
      [
        aws('submit: the record', ANSWER_LOST, 3),
        aws('download: a part', ANSWER_LOST, 3),
        aws('write: the result rows', ANSWER_LOST, 3),
        aws('complete: the end', ANSWER_LOST, 3),
      ],
      { submit: 2, download: 2, write: 2, complete: 2 },
    ],
    [
      'the time of the creation, its answer lost',
      [aws('submit: the time of the creation', ANSWER_LOST, 3)],
      { submit: 2 },
    ],
    ['the batch’s id: 503', [aws('submit: the batch’s id', DYNAMODB_BROKEN, 3)], { submit: 2 }],
    [
      'the batch’s id, its answer lost',
      [aws('submit: the batch’s id', ANSWER_LOST, 3)],
      { submit: 2 },
    ],
    [
      'the upload: 500',
      [openai({ on: 'files.create', status: 500, retryAfter: 0, times: 3 })],
      { submit: 2 },
    ],
    ['the creation: 429', [openai({ on: 'batches.create', status: 429, times: 2 })], { submit: 3 }],
    ['the creation: 500', [openai({ on: 'batches.create', status: 500, times: 1 })], { submit: 2 }],
    [
      'the creation, its answer lost',
      [openai({ on: 'batches.create', cut: true, moment: 'after', times: 1 })],
      { submit: 2 },
    ],
    [
      'the creation, done and answered with 500',
      [openai({ on: 'batches.create', status: 500, moment: 'after', times: 1 })],
      { submit: 2 },
    ],
  ])('%s', async (_, breaks, invocations) => {
    settleAtOnce();
    for (const breakIt of breaks) breakIt();

    expect(await stack.submit()).toMatchObject({ total: 1, submitted: 1, requested: LINES });
    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });

    expect(unusualInvocations()).toStrictEqual(invocations);
    await expectEmbeddedOnce();
  });
});

const LONG_AGO = '2025-01-01T00:00:00.000+00:00';

describe('a submission whose failure stays', () => {
  it.each<[string, Break, error: string, cause: RegExp]>([
    [
      'the upload: 429',
      openai({ on: 'files.create', status: 429, retryAfter: 0 }),
      'RateLimited',
      /^OpenAI answered 429/,
    ],
    [
      'the creation: 500',
      openai({ on: 'batches.create', status: 500 }),
      'UpstreamUnavailable',
      /^OpenAI answered 500/,
    ],
    [
      'a claim: no permission',
      aws('submit: a claim', error(400, 'AccessDeniedException')),
      'InvalidConfiguration',
      /^BatchExecuteStatementCommand failed: AccessDenied/,
    ],
    [
      'a claim: no permission after the first',
      aws('submit: a claim', { executed: 1, code: 'AccessDenied' }),
      'InvalidConfiguration',
      /^a statement of BatchExecuteStatementCommand failed: AccessDenied/,
    ],
  ])(
    '(%s) is tried as often as the state machine says; a poll releases later what it claimed',
    async (_, breakIt, name, cause) => {
      settleAtOnce();
      breakIt();

      const { failures, ...summary } = await stack.submit();

      expect(summary).toMatchObject({ total: 1, submitted: 0, failed: 1 });
      const { batch_id } = await stack.batch();
      expect(failures).toStrictEqual([
        { batch_id, error: name, cause: expect.stringMatching(cause) as string },
      ]);
      expect(unusualInvocations().submit ?? 1).toBe(1 + retriesOfState(stack, 'SubmitBatch', name));
      await expectBatchInvariants(stack);

      stack.endFaults();
      await stack.updateBatch(batch_id, {
        submitted_at: LONG_AGO,
        creating_since: LONG_AGO,
        claim_expires_at: LONG_AGO,
      });
      expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: 0 });
      expect(await stack.statuses()).toStrictEqual({ NONE: LINES });
      expect(await stack.submit()).toMatchObject({ submitted: 1, requested: LINES });
      expect(await stack.poll()).toMatchObject({ completed: 1, succeeded: LINES });
      expect(counts().embedded - before.embedded).toBe(LINES);
      await expectBatchInvariants(stack);
    },
  );

  it.each<[string, FaultRule, error: string, reason: RegExp]>([
    [
      'no quota for the batch',
      { on: 'batches.create', status: 429, code: 'insufficient_quota' },
      'QuotaExhausted',
      /insufficient_quota.*check its plan and billing/,
    ],
    [
      'a key that is not good any more',
      { on: 'batches.create', status: 401, code: 'invalid_api_key' },
      'InvalidConfiguration',
      /^OpenAI answered 401 .*check the API key/,
    ],
    [
      'a batch that is not taken',
      { on: 'batches.create', status: 400, code: 'token_limit_exceeded', param: 'input_file_id' },
      'RateLimited',
      /^OpenAI answered 400 token_limit_exceeded/,
    ],
    [
      'a file that is not taken',
      { on: 'files.create', status: 400, code: 'invalid_file' },
      'InvalidRequest',
      /^OpenAI answered 400 invalid_file/,
    ],
  ])('(%s) is refused at once, and releases what it claimed', async (_, rule, name, reason) => {
    openai(rule)();

    const { failures, ...summary } = await stack.submit();

    const batch = await stack.batch();
    const { batch_id } = batch;
    expect(summary).toMatchObject({ total: 1, submitted: 0, failed: 1, requested: 0 });
    expect(failures).toStrictEqual([
      { batch_id, error: name, cause: expect.stringMatching(reason) as string },
    ]);
    expect(unusualInvocations().submit ?? 1).toBe(1);
    expect(batch).toMatchObject({
      status: 'FAILED',
      reason: expect.stringMatching(reason) as string,
      requested: LINES,
      succeeded: 0,
      failed: 0,
      released: LINES,
    });
    expect(await stack.statuses()).toStrictEqual({ NONE: LINES });
    expect(await stack.poll()).toMatchObject({ total: 0 });
    await expectBatchInvariants(stack);

    stack.endFaults();
    expect(await stack.submit()).toMatchObject({ submitted: 1, requested: LINES });
    expect(await stack.poll()).toMatchObject({ completed: 1, succeeded: LINES });
    await expectBatchInvariants(stack);
  });

  it('(no API key to be had) has claimed nothing', async () => {
    stack.killEnvironments(BATCH_FUNCTIONS.submit);
    stack.breakAws({
      when: ({ functionName, operation }) =>
        functionName === BATCH_FUNCTIONS.submit && operation === 'GetSecretValue',
      ...error(400, 'AccessDeniedException'),
    });

    const { failures } = await stack.submit();

    expect(failures.map((failure) => failure.error)).toStrictEqual(['InvalidConfiguration']);
    expect(await stack.batches()).toStrictEqual([]);
    expect(await stack.statuses()).toStrictEqual({ NONE: LINES });
  });
});

describe('an index of other dimensions than the model’s', () => {
  it('ends the submission before anything is claimed, or paid for at OpenAI', async () => {
    const { openai } = stack.local;
    const uploads = openai.batchRequests.get('files.create') ?? 0;
    stack.breakPinecone({
      when: ({ operation }) => operation === 'stats',
      status: 200,
      body: JSON.stringify({ namespaces: {}, dimension: 8, indexFullness: 0, totalVectorCount: 0 }),
    });

    const { error, cause = '' } = await stack.local.execute({}, 'batchSubmit');

    expect(error).toBe('RunFailed');
    expect(cause).toContain('"Error":"InvalidConfiguration"');
    expect(cause).toContain("Pinecone's index is of 8 dimensions");
    expect((openai.batchRequests.get('files.create') ?? 0) - uploads).toBe(0);
    expect(await stack.batches()).toStrictEqual([]);
    expect(await stack.statuses()).toStrictEqual({ NONE: LINES });
  });
});

describe('a poll whose failure stays', () => {
  it.each<[string, Break, Called, state: string, error: string, cause: RegExp]>([
    [
      'the status: 429',
      openai({ on: 'batches.retrieve', status: 429, retryAfter: 0 }),
      'status',
      'GetBatchStatus',
      'RateLimited',
      /^OpenAI answered 429/,
    ],
    [
      'the status: a key that is not good any more',
      openai({ on: 'batches.retrieve', status: 401 }),
      'status',
      'GetBatchStatus',
      'InvalidConfiguration',
      /^OpenAI answered 401/,
    ],
    [
      'the results: cut in the middle',
      openai({ on: 'files.content', cutAfterBytes: 600 }),
      'download',
      'DownloadResults',
      'UpstreamUnavailable',
      /^the download of the file file-\w+ from OpenAI broke off$/,
    ],
    [
      'Pinecone: 429',
      pinecone({ status: 429, retryAfter: 0 }),
      'upsert',
      'UpsertToPinecone',
      'RateLimited',
      /^Pinecone answered 429/,
    ],
    [
      'Pinecone: the month’s limit',
      pinecone({ status: 429, message: 'write unit limit reached for the current month' }),
      'upsert',
      'UpsertToPinecone',
      'QuotaExhausted',
      /^Pinecone answered 429.*the plan's limit is reached/,
    ],
    [
      'the result rows: no permission',
      aws('write: the result rows', error(400, 'AccessDeniedException')),
      'write',
      'WriteResultsToDynamo',
      'InvalidConfiguration',
      /^BatchWriteItemCommand failed: AccessDenied/,
    ],
    [
      'the end: 503',
      aws('complete: the end', DYNAMODB_BROKEN),
      'complete',
      'MarkBatchComplete',
      'UpstreamUnavailable',
      /^UpdateItemCommand failed/,
    ],
  ])(
    '(%s) is tried as often as the state machine says, then noted, and the next poll finishes',
    async (_, breakIt, called, state, name, cause) => {
      await stack.submit();
      breakIt();

      const { failures, ...summary } = await stack.poll();

      const { batch_id, last_error, claimed_by } = await stack.batch();
      expect(summary).toMatchObject({ total: 1, completed: 0, failed: 1, succeeded: 0 });
      expect(failures).toStrictEqual([
        { batch_id, error: name, cause: expect.stringMatching(cause) as string },
      ]);
      expect(last_error).toBe(`${name}: ${failures[0]?.cause ?? ''}`);
      expect(claimed_by).toBeUndefined();
      expect(unusualInvocations()[called] ?? 1).toBe(1 + retriesOfState(stack, state, name));

      stack.endFaults();

      expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });
      await expectEmbeddedOnce();
    },
  );

  it('says in the state machine which errors are worth another try', () => {
    const errors = ['RateLimited', 'UpstreamUnavailable', 'QuotaExhausted', 'InvalidConfiguration'];
    for (const state of ['SubmitBatch', 'GetBatchStatus', 'DownloadResults', 'UpsertToPinecone']) {
      expect(errors.map((name) => retriesOfState(stack, state, name))).toStrictEqual([5, 5, 0, 0]);
    }
  });
});
