import { beforeEach, describe, expect, it } from 'vitest';
import type { SubmitSummary } from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BATCH_FUNCTIONS, BatchStack } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { lineReceipts } from '../support/stack_receipts.ts';
import { summaryOf } from '../support/test_stack.ts';

const BATCHES = 20;
const LINES = 2;

let stack: BatchStack;

sharing.beforeAll(({ smallBatches }) => {
  stack = smallBatches;
});

beforeEach(async () => {
  await stack.reset();
  await stack.load(lineReceipts(BATCHES, LINES));
});

describe('a submission that runs into what no batch can escape', () => {
  it('ends after a few, says how many were not tried, and leaves them for the next one', async () => {
    const before = stack.invocations(BATCH_FUNCTIONS.submit);
    stack.breakOpenAI({
      on: 'batches.create',
      status: 429,
      type: 'insufficient_quota',
      code: null,
      skip: 3,
    });

    const execution = await stack.local.execute({}, 'batchSubmit');

    expect(execution).toMatchObject({ status: 'FAILED', error: 'StoppedEarly' });
    const summary = summaryOf(execution) as SubmitSummary;
    // One at a time: ten may fail so, and the eleventh ends it.
    expect(summary).toMatchObject({
      total: BATCHES,
      submitted: 3,
      failed: 11,
      not_tried: BATCHES - 3 - 11,
      failures_by_reason: { QuotaExhausted: 11 },
    });
    expect(summary.stopped).toMatch(/^ended early, 6 were not tried, .*QuotaExhausted: /);
    expect(stack.invocations(BATCH_FUNCTIONS.submit) - before).toBe(3 + 11);
    // Nothing is blamed on a text, and nothing waits for a batch that does not exist.
    expect(await stack.statuses()).toStrictEqual({
      PENDING: 3 * LINES,
      NONE: (BATCHES - 3) * LINES,
    });
    await expectBatchInvariants(stack);

    stack.endFaults();

    expect(await stack.submit()).toMatchObject({
      total: BATCHES - 3,
      submitted: BATCHES - 3,
      failed: 0,
      not_tried: 0,
      stopped: null,
    });
    await stack.pollUntilDone();
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: BATCHES * LINES });
    await expectBatchInvariants(stack);
  });
});
