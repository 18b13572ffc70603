import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { ConcurrentUpdate } from 'receipt-embedding/errors';
import { type BatchClaim, claimBatch } from 'receipt-embedding/table/batch_summaries';
import type { Table } from 'receipt-embedding/table/table';

/**
 * The batch that this execution is at work on; its claim lasts on.
 *
 * @throws ConcurrentUpdate when it is no longer this execution's.
 */
export async function claimedBatch(table: Table, claim: BatchClaim): Promise<BatchSummary> {
  const batch = await claimBatch(table, claim);
  if (batch !== undefined) return batch;
  throw new ConcurrentUpdate(
    `batch ${claim.batch_id} has ended, or another execution than ${claim.owner} is at work on it`,
  );
}
