import type { BatchSummary } from 'receipt-embedding/entities';
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
  readonly listPending: (most: number) => Promise<{
    readonly batches: readonly BatchSummary[];
    readonly more: boolean;
    readonly invalid_rows: number;
  }>;
  readonly writeManifest: (
    executionName: string,
    batches: readonly { readonly batch_id: string }[],
  ) => Promise<ListBatchesOutput['manifest']>;
}

/** How many batches one execution looks after, the oldest first. */
const MOST_BATCHES = 250;

/** Lists the batches to look after, and writes the list where the Map reads it. */
export async function listBatches(
  { Name }: ListBatchesInput,
  { listPending, writeManifest }: ListBatchesPorts,
  defaultName: string,
): Promise<ListBatchesOutput> {
  const executionName = Name ?? defaultName;
  const { batches, more, invalid_rows } = await listPending(MOST_BATCHES);
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
