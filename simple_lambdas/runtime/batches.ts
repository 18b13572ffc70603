import { tmpdir } from 'node:os';
import { createS3Client } from 'receipt-embedding/aws_clients';
import { BatchStorage } from 'receipt-embedding/batches/batch_files';
import { type BatchOutcome, recordedOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import { isEnded } from 'receipt-embedding/batches/plan_batches';
import { type BatchSummary, batchTypeSchema } from 'receipt-embedding/entities/batch';
import { ConcurrentUpdate } from 'receipt-embedding/errors';
import type { Metrics } from 'receipt-embedding/ports';
import { type BatchClaim, claimBatch } from 'receipt-embedding/table/batch_summaries';
import type { Table } from 'receipt-embedding/table/table';
import { z } from 'zod';
import { executionNameSchema } from './handler.ts';

/** The files of batches. */
export function openBatchStorage(environment: { readonly BATCH_BUCKET: string }): BatchStorage {
  return new BatchStorage({
    s3: createS3Client(),
    bucket: environment.BATCH_BUCKET,
    temporaryFolder: tmpdir(),
  });
}

/** A part of a batch's results, as the functions that ingest it get it. */
export const partInputSchema = z.object({
  batch_id: z.uuid(),
  batch_type: batchTypeSchema,
  execution_name: executionNameSchema,
  /** Where it lies in the batch bucket. */
  part: z.object({ key: z.string() }),
});

/**
 * The batch that this execution works on; its lease is extended.
 *
 * @throws ConcurrentUpdate when the lease is no longer this execution's.
 */
export async function leasedBatch(table: Table, claim: BatchClaim): Promise<BatchSummary> {
  const batch = await claimBatch(table, claim);
  if (batch !== undefined) return batch;
  throw new ConcurrentUpdate(
    `batch ${claim.batch_id} has ended, or another execution than ${claim.owner} is at work on it`,
  );
}

/** The outcome of a batch, as the state machine's Map gives it. */
export type CompletedBatch = BatchOutcome & { readonly status: 'complete' };

export interface EndBatchPorts {
  /** @returns the batch, leased; undefined when it has ended, or is another execution's. */
  readonly claim: () => Promise<BatchSummary | undefined>;
  readonly read: () => Promise<BatchSummary | undefined>;
  /** Settles what is left, and records the end. */
  readonly end: (batch: BatchSummary) => Promise<BatchOutcome>;
}

/**
 * Ends a batch once, and counts it. A second try, after the first answer was lost, answers the same.
 *
 * @throws ConcurrentUpdate when another execution has taken it over.
 */
export async function endOnce(
  batchId: string,
  { claim, read, end }: EndBatchPorts,
  metrics: Metrics,
): Promise<CompletedBatch> {
  const batch = await claim();
  const outcome = batch === undefined ? earlierOutcome(batchId, await read()) : await end(batch);
  metrics.count('BatchesEnded', 1);
  metrics.count('BatchRowsReleased', outcome.released);
  return { status: 'complete', ...outcome };
}

function earlierOutcome(batchId: string, batch: BatchSummary | undefined): BatchOutcome {
  if (batch !== undefined && isEnded(batch.status)) return recordedOutcome(batch);
  throw new ConcurrentUpdate(`another execution is at work on batch ${batchId}`);
}
