import { beforeEach, describe, expect, it } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { runRedo, runStatus, shownStatus } from '../support/stack_commands.ts';
import { lineReceipts } from '../support/stack_receipts.ts';

const LINES = 2;
const MINUTE = 60_000;
const LONG_AGO = '2025-01-01T00:00:00.000+00:00';

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

/** Polls while Pinecone takes no vector; how long the batch rests afterwards, undefined where it rests for ever. */
async function failToIngest(): Promise<number | undefined> {
  expect(await stack.poll()).toMatchObject({ total: 1, completed: 0, failed: 1 });
  const { retry_at, polled_at = '' } = await stack.batch();
  return retry_at === undefined || retry_at === LONG_AGO
    ? undefined
    : Date.parse(retry_at) - Date.parse(polled_at);
}

describe('a batch that can not be ingested', () => {
  it('is tried five times, at growing intervals, then parked, and taken up again by redo', async () => {
    await stack.load(lineReceipts(1, LINES));
    await stack.submit();
    const { batch_id } = await stack.batch();
    const { openai } = stack.local;
    const downloads = openai.batchRequests.get('files.content') ?? 0;
    const created = openai.batchUsage.batches;
    stack.breakPinecone({ when: ({ operation }) => operation === 'upsert', status: 401 });

    const rests: (number | undefined)[] = [];
    for (let attempt = 1; attempt <= 5; attempt++) {
      rests.push(await failToIngest());
      if (attempt > 1) expect(await stack.poll()).toMatchObject({ total: 0 });
      expect(await stack.batch()).toMatchObject({ attempts: attempt });
      // The time passes.
      if (attempt < 5) await stack.updateBatch(batch_id, { retry_at: LONG_AGO });
    }

    expect(rests).toStrictEqual([0, 15 * MINUTE, 60 * MINUTE, 20 * 60 * MINUTE, undefined]);
    const parked = await stack.batch();
    expect(parked).toMatchObject({
      parked_at: parked.polled_at,
      last_error: expect.stringMatching(/^InvalidConfiguration: Pinecone answered 401/) as string,
    });
    expect(await runStatus(stack, '--no-entities')).toMatchObject({
      batches: {
        active: expect.arrayContaining([
          expect.objectContaining({ status: parked.status, lines: 1 }),
        ]) as unknown,
        troubled: [{ batch_id, problems: ['parked'], last_error: parked.last_error }],
      },
    });
    expect(await shownStatus(stack, '--no-entities')).toMatch(
      new RegExp(
        `${batch_id} PENDING for .*\\n +parked: no poll tries it any more; .*InvalidConfiguration: Pinecone`,
      ),
    );
    // It counts as one that has not ended: what it has claimed is nobody else's.
    expect(await stack.statuses()).toStrictEqual({ PENDING: LINES });
    expect(await stack.submit()).toMatchObject({ total: 0, planned: 0 });
    await expectBatchInvariants(stack);

    stack.endFaults();
    expect(await stack.poll()).toMatchObject({ total: 0 });
    expect(await runRedo(stack, 'batch', batch_id)).toMatchObject({
      next: ['npx receipts execute batch-poll'],
    });
    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });

    const ended = await stack.batch();
    expect(ended).toMatchObject({ status: 'COMPLETED', succeeded: LINES, released: 0 });
    expect([ended.attempts, ended.retry_at, ended.parked_at, ended.last_error]).toStrictEqual(
      Array(4).fill(undefined),
    );
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: LINES });
    // Brought from OpenAI once, and paid for once.
    expect((openai.batchRequests.get('files.content') ?? 0) - downloads).toBe(1);
    expect(openai.batchUsage.batches - created).toBe(0);
    await expectBatchInvariants(stack);
  });
});
