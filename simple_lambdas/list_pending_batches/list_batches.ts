import type { Clock, Metrics } from 'receipt-embedding/ports';
import type { PendingBatches } from 'receipt-embedding/table/batch_listing';
import { z } from 'zod';
import { executionFields } from '../runtime/execution_input.ts';

/** What the state machine was started with, and the context of that execution beside it. */
export const listBatchesInputSchema = z.strictObject({ ...executionFields });

export type ListBatchesInput = z.output<typeof listBatchesInputSchema>;

export interface ListBatchesOutput {
  readonly total_batches: number;
  /** Whether there are more, which a later execution polls. */
  readonly more: boolean;
  /** Rows that could not be read, and were skipped and logged. */
  readonly invalid_rows: number;
  readonly execution_name: string;
  /** The list, as JSON lines in S3. */
  readonly manifest: { readonly bucket: string; readonly key: string };
}

export interface ListBatchesPorts {
  readonly listPending: (most: number) => Promise<PendingBatches>;
  readonly writeManifest: (
    executionName: string,
    batches: readonly { readonly batch_id: string }[],
  ) => Promise<ListBatchesOutput['manifest']>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** How many batches one execution looks after, the oldest first. */
const MOST_BATCHES = 250;

/** Lists the batches to look after, and writes the list where the Map reads it. */
export async function listBatches(
  { Name }: ListBatchesInput,
  { listPending, writeManifest, clock, metrics }: ListBatchesPorts,
  defaultName: string,
): Promise<ListBatchesOutput> {
  const executionName = Name ?? defaultName;
  const { batches, more, invalid_rows, ...pending } = await listPending(MOST_BATCHES);
  metrics.count('InvalidRows', invalid_rows);
  metrics.countEach('PendingBatches', pending.by_status);
  metrics.count('OldestPendingBatchAge', secondsSince(pending.oldest_submitted_at, clock()));
  return {
    total_batches: batches.length,
    more,
    invalid_rows,
    execution_name: executionName,
    manifest: await writeManifest(
      executionName,
      batches.map(({ batch_id }) => ({ batch_id })),
    ),
  };
}

function secondsSince(then: Date | undefined, now: Date): number {
  // A clock may be a little behind another.
  return then === undefined ? 0 : Math.max(0, (now.getTime() - then.getTime()) / 1_000);
}
