import type { Operation } from 'vendor-stand-ins/openai/faults';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BATCH_FUNCTIONS, BatchStack } from '../support/batch_stack.ts';
import { BATCH_REQUESTS, type BatchRequest } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { lineReceipts } from '../support/stack_receipts.ts';

// Not proved here: Lambda's own reasons to lose an answer. Step Functions sees `Lambda.SdkClientException`, and invokes again.

const LINES = 2;

let stack: BatchStack;
let invoked: (name: keyof typeof BATCH_FUNCTIONS) => number;
let created: () => number;
let embedded: () => number;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
  await stack.load(lineReceipts(1, LINES));
  const { openai } = stack.local;
  const before = { ...openai.batchUsage };
  const runs = new Map(
    Object.values(BATCH_FUNCTIONS).map((name) => [name, stack.invocations(name)]),
  );
  invoked = (name) =>
    stack.invocations(BATCH_FUNCTIONS[name]) - (runs.get(BATCH_FUNCTIONS[name]) ?? 0);
  created = () => openai.batchUsage.batches - before.batches;
  embedded = () => openai.batchUsage.requests - before.requests;
});

/** The first answer of a function is lost at once: the function runs on while Step Functions invokes it again. */
function loseAnswerOf(name: keyof typeof BATCH_FUNCTIONS): void {
  const { invocations } = stack.local.aws;
  stack.untilReset(
    invocations.fault({
      loseAnswer: 'at once',
      when: ({ functionName }) => functionName === BATCH_FUNCTIONS[name],
      times: 1,
    }),
  );
}

/** Does something when AWS sees the nth request of a kind. */
function at(request: BatchRequest, nth: number, act: () => void): void {
  let seen = 0;
  stack.breakAws({
    when: (observed) => {
      if (BATCH_REQUESTS[request](observed) && ++seen === nth) act();
      return false;
    },
    cut: true,
  });
}

async function everythingHasEnded(): Promise<void> {
  const { running } = stack.local.aws.invocations;
  await expect.poll(() => running.size, { timeout: 30_000 }).toBe(0);
}

async function expectEmbeddedOnce(): Promise<void> {
  await everythingHasEnded();
  expect([created(), embedded()]).toStrictEqual([1, LINES]);
  const batch = await stack.batch();
  expect(stack.openaiBatches(batch.batch_id)).toHaveLength(1);
  expect(batch).toMatchObject({ status: 'COMPLETED', succeeded: LINES, failed: 0, released: 0 });
  expect(batch.claimed_by).toBeUndefined();
  expect(await stack.statuses()).toStrictEqual({ SUCCESS: LINES });
  await expectBatchInvariants(stack);
}

describe('a submission whose answer Lambda loses while it is still at work', () => {
  it.each<[string, Operation]>([
    ['uploads', 'files.create'],
    ['creates its batch', 'batches.create'],
  ])('(it %s) makes one batch at OpenAI, whoever comes second', async (_, on) => {
    loseAnswerOf('submit');
    const goOn = stack.untilReset(stack.local.openai.fault({ on, hang: true, times: 1 }));
    // Whichever invocation has the lease hangs until the other one has been sent away, and has ended or is tried again.
    at('submit: the record', 3, goOn);
    at('submit: the record', 2, () => {
      const { running } = stack.local.aws.invocations;
      const alone = (): void => {
        expect(running.size).toBe(1);
      };
      void vi.waitFor(alone, { timeout: 20_000, interval: 5 }).then(goOn, () => undefined);
    });

    const summary = await stack.submit();

    expect(summary).toMatchObject({ total: 1, submitted: 1, failed: 0, requested: LINES });
    expect(invoked('submit')).toBeGreaterThanOrEqual(2);
    expect(created()).toBe(1);
    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });
    await expectEmbeddedOnce();
  });
});

describe('a poll of whose functions Lambda loses an answer', () => {
  beforeEach(async () => {
    await stack.submit();
  });

  it.each(['status', 'download', 'upsert', 'write', 'complete'] as const)(
    '(%s) has both invocations at work at once, and each line once',
    async (name) => {
      loseAnswerOf(name);

      expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });

      expect(invoked(name)).toBe(2);
      await expectEmbeddedOnce();
    },
  );

  it.each<['status' | 'download', Operation, BatchRequest]>([
    ['status', 'batches.retrieve', 'poll: the result files’ ids'],
    ['download', 'files.content', 'download: a part'],
  ])('(%s) is not disturbed by the invocation that comes later', async (name, on, done) => {
    loseAnswerOf(name);
    const goOn = stack.untilReset(stack.local.openai.fault({ on, hang: true, times: 1 }));
    // One invocation hangs until the other one has written what it found.
    at(done, 1, goOn);

    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });

    expect(invoked(name)).toBe(2);
    await expectEmbeddedOnce();
  });
});
