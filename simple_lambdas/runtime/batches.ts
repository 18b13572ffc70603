import { tmpdir } from 'node:os';
import { createS3Client } from 'receipt-embedding/aws_clients';
import { BatchStorage } from 'receipt-embedding/batches/batch_files';
import { type BatchOutcome, recordedOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import { type BatchSummary, batchTypeSchema, isEnded } from 'receipt-embedding/entities/batch';
import { ConcurrentUpdate } from 'receipt-embedding/errors';
import { partName } from 'receipt-embedding/object_keys';
import type { Metrics } from 'receipt-embedding/ports';
import { storeNameSchema } from 'receipt-embedding/stores/vector_store';
import {
  type BatchLease,
  leaseBatch,
  LEASE_RENEWAL_MS,
  renewLease,
} from 'receipt-embedding/table/batch_summaries';
import type { Table } from 'receipt-embedding/table/table';
import { z } from 'zod';
import { executionIdSchema, executionNameSchema } from './handler.ts';

/** The files of batches. */
export function openBatchStorage(environment: { readonly BATCH_BUCKET: string }): BatchStorage {
  return new BatchStorage({
    s3: createS3Client(),
    bucket: environment.BATCH_BUCKET,
    temporaryFolder: tmpdir(),
  });
}

/** What each function that works on a batch is told: which one, and for which execution, whose ARN owns the lease. */
export const batchWorkFields = {
  batch_id: z.uuid(),
  execution_name: executionNameSchema,
  execution_id: executionIdSchema,
};

/** A part of a batch's results, as the functions that ingest it get it. */
export const partInputSchema = z.object({
  ...batchWorkFields,
  batch_type: batchTypeSchema,
  /** Where it lies in the batch bucket. */
  part: z.object({ key: z.string() }),
});

/** A part that is in the log. */
export const loggedPartInputSchema = partInputSchema.extend({
  logged: z.object({
    /** The stores that it goes to, in their order. */
    stores: z.array(z.object({ name: storeNameSchema, identity: z.string() })),
  }),
});

/** Who writes a part's vectors to stores, as records of receipts name it: the same for every try. */
export function partWriter(batchId: string, partKey: string): string {
  return `batch/${batchId}/${partName(partKey)}`;
}

/**
 * The batch that this execution works on; its lease is extended.
 *
 * @throws ConcurrentUpdate when the lease is no longer this execution's.
 */
export async function leasedBatch(table: Table, claim: BatchLease): Promise<BatchSummary> {
  const batch = await leaseBatch(table, claim);
  if (batch !== undefined) return batch;
  throw new ConcurrentUpdate(
    `batch ${claim.batch_id} has ended, or another execution than ${claim.owner} is at work on it`,
  );
}

/**
 * Does work on a batch and keeps its lease meanwhile, however long it takes. A renewal that fails is left to the next one, and in
 * the end to the next step, which is refused when the lease is lost.
 */
export async function keepingLease<Result>(
  table: Table,
  { batch_id, owner }: Pick<BatchLease, 'batch_id' | 'owner'>,
  work: () => Promise<Result>,
): Promise<Result> {
  let renewal: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renewLease(table, { batch_id, owner, now: new Date() }).catch(() => undefined);
  }, LEASE_RENEWAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await renewal;
  }
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
  const outcome =
    batch === undefined
      ? earlierOutcome(batchId, await read())
      : await end(batch).catch(async (error: unknown) => {
          // An earlier invocation, whose answer was lost, has recorded the end meanwhile.
          if (error instanceof ConcurrentUpdate) return earlierOutcome(batchId, await read());
          throw error;
        });
  metrics.count('BatchesEnded', 1);
  metrics.count('BatchRowsReleased', outcome.released);
  return { status: 'complete', ...outcome };
}

function earlierOutcome(batchId: string, batch: BatchSummary | undefined): BatchOutcome {
  if (batch !== undefined && isEnded(batch.status)) return recordedOutcome(batch);
  throw new ConcurrentUpdate(`another execution is at work on batch ${batchId}`);
}
