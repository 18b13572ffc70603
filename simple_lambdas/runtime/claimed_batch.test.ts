import { createBatchSummary, updateBatch } from 'receipt-embedding/table/batch_summaries';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ourBatch } from '../../tests/support/batch_factory.ts';
import { CLAIM_MS } from '../../tests/support/batch_record.ts';
import { ReceiptTable } from '../../tests/support/receipt_table.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { claimedBatch } from './claimed_batch.ts';

const { batch_id } = ourBatch();
const now = new Date('2025-03-01T12:00:00Z');
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(async () => {
  await table.close();
});

describe('the batch that an execution is at work on', () => {
  it('is its own, for as long as it goes on, then another’s, and nobody’s once it has ended', async () => {
    const mine = { batch_id, owner: 'poll-1' };
    await createBatchSummary(table, ourBatch(), { ...mine, now });
    const half = later(CLAIM_MS / 2);
    const batch = await claimedBatch(table, { ...mine, now: half });
    expect(batch).toStrictEqual({
      ...ourBatch(),
      ...batch,
      claimed_by: 'poll-1',
      claim_expires_at: '2025-03-01T12:30:00.000+00:00',
    });

    const other = { batch_id, owner: 'poll-2' };
    const early = await rejection(claimedBatch(table, { ...other, now: later(CLAIM_MS) }));
    expect([early.name, early.message]).toStrictEqual([
      'ConcurrentUpdate',
      `batch ${batch_id} has ended, or another execution than poll-2 is at work on it`,
    ]);

    const expired = later(2 * CLAIM_MS);
    expect((await claimedBatch(table, { ...other, now: expired })).claimed_by).toBe('poll-2');
    expect((await rejection(claimedBatch(table, { ...mine, now: expired }))).name).toBe(
      'ConcurrentUpdate',
    );

    await updateBatch(table, { ...other, now: expired }, { status: 'FAILED' }, { endClaim: true });
    expect((await rejection(claimedBatch(table, { ...other, now: expired }))).name).toBe(
      'ConcurrentUpdate',
    );
  });
});
