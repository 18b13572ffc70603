import type { ObservedRequest } from 'embedded-aws/aws/faults';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { describe, expect, it } from 'vitest';
import { childrenOf, historyOf, payloadsOf } from '../support/execution_histories.ts';
import { expectInvariants } from '../support/invariants.ts';
import { nth } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipts } from '../support/stack_receipts.ts';
import { type FinishedRun, FUNCTIONS, TestStack } from '../support/test_stack.ts';

/** More than a summary lists failures of; `npm run bench:scale` has thousands. */
const RECEIPTS = 40;
/** Of Step Functions' quotas: bytes of a payload, events of a history. */
const PAYLOAD_BYTES = 262_144;
const HISTORY_EVENTS = 25_000;

let stack: TestStack;
let receipts: readonly SyntheticReceipt[];

sharing.beforeAll(async ({ usual }) => {
  stack = usual;
  await stack.reset();
  receipts = smallReceipts(RECEIPTS);
  await stack.load(receipts);
});

/** Lets these receipts fail, in a way that is not tried again. */
function failReceipts(count: number): void {
  const images = receipts.slice(0, count).map(({ receipt }) => receipt.image_id);
  const reading = nth('the record');
  stack.breakAws({
    when: (request: ObservedRequest) =>
      reading(request) && images.some((image) => request.body.includes(image)),
    status: 400,
    code: 'ValidationException',
  });
}

async function expectWithinLimits({ execution }: FinishedRun): Promise<void> {
  const children = await childrenOf(stack, execution.executionArn);
  expect(children).toHaveLength(RECEIPTS);
  const histories = [execution.executionArn, ...children.slice(0, 20), ...children.slice(-20)];
  for (const arn of histories) {
    const events = await historyOf(stack, arn);
    expect(events.length).toBeLessThan(arn === execution.executionArn ? 100 : 50);
    expect(events.length).toBeLessThan(HISTORY_EVENTS);
    const sizes = payloadsOf(events).map((text) => Buffer.byteLength(text));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(PAYLOAD_BYTES);
  }
}

// The tests of this group go on where the one before ended.
describe(`${RECEIPTS} receipts in one execution`, () => {
  it('are each listed once, with a right summary that fails the execution, when all of them fail', async () => {
    failReceipts(RECEIPTS);
    const invocations = stack.invocations(FUNCTIONS.process);

    const run = await stack.run();

    expect(run.execution).toMatchObject({ status: 'FAILED', error: 'TooManyFailed' });
    expect(run.execution.output).toBeUndefined();
    expect(run.summary).toMatchObject({
      total: RECEIPTS,
      succeeded: 0,
      reused: 0,
      skipped: 0,
      failed: RECEIPTS,
      failed_percentage: 100,
      vectors: 0,
      openai_requests: 0,
      estimated_cost_usd: 0,
    });
    expect(run.summary.failures).toHaveLength(20);
    expect(new Set(run.summary.failures.map(({ error }) => error))).toStrictEqual(
      new Set(['InvalidRequest']),
    );
    expect(stack.invocations(FUNCTIONS.process) - invocations).toBe(RECEIPTS);
    expect(await stack.rowsOfType('COMPACTION_RUN')).toStrictEqual([]);
    await expectWithinLimits(run);
    stack.endFaults();
  });

  it('succeed when exactly the tolerated percentage of them fails', async () => {
    failReceipts(RECEIPTS / 10);

    const run = await stack.run();

    expect(run.execution.status).toBe('SUCCEEDED');
    expect(run.summary).toMatchObject({
      total: RECEIPTS,
      succeeded: RECEIPTS - RECEIPTS / 10,
      failed: RECEIPTS / 10,
      failed_percentage: 10,
    });
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(RECEIPTS - RECEIPTS / 10);
    await expectWithinLimits(run);
    stack.endFaults();
  });

  it('fail when one more of them fails, with the summary as the cause', async () => {
    failReceipts(RECEIPTS / 10 + 1);

    const run = await stack.run();

    expect(run.execution).toMatchObject({ status: 'FAILED', error: 'TooManyFailed' });
    expect(run.summary).toMatchObject({
      total: RECEIPTS,
      succeeded: 0,
      reused: RECEIPTS - RECEIPTS / 10 - 1,
      failed: RECEIPTS / 10 + 1,
    });
    stack.endFaults();
  });

  it('are finished by a run over what is NONE', async () => {
    const run = await stack.run({ filter_by_embedding_status: 'NONE' });

    expect(run.execution.status).toBe('SUCCEEDED');
    expect(run.summary).toMatchObject({
      total: RECEIPTS / 10,
      succeeded: RECEIPTS / 10,
      failed: 0,
    });
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(RECEIPTS);
    await expectInvariants(stack);
  });
});
