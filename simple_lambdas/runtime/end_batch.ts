import { type BatchOutcome, recordedOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import { isEnded } from 'receipt-embedding/entities/batch';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { ConcurrentUpdate } from 'receipt-embedding/errors';

/** The outcome of a batch, as the state machine's Map gives it. */
export type CompletedBatch = BatchOutcome & { readonly status: 'complete' };

export interface EndBatchPorts {
  /** @returns the batch, claimed; undefined when it has ended, or is another execution's. */
  readonly claim: () => Promise<BatchSummary | undefined>;
  readonly read: () => Promise<BatchSummary | undefined>;
  /** Settles what is left, and records the end. */
  readonly end: (batch: BatchSummary) => Promise<BatchOutcome>;
}

/**
 * Ends a batch, once: a second try, whose first answer was lost, answers the same.
 *
 * @throws ConcurrentUpdate when another execution has taken it over.
 */
export async function endOnce(
  batchId: string,
  { claim, read, end }: EndBatchPorts,
): Promise<CompletedBatch> {
  const batch = await claim();
  if (batch !== undefined) return { status: 'complete', ...(await end(batch)) };
  const ended = await read();
  if (ended !== undefined && isEnded(ended.status)) {
    return { status: 'complete', ...recordedOutcome(ended) };
  }
  throw new ConcurrentUpdate(`another execution is at work on batch ${batchId}`);
}
