import type { Clock, Metrics } from 'receipt-embedding/ports';
import {
  listPendingEmbeddingBatches,
  type PendingBatches,
} from 'receipt-embedding/table/batch_listing';
import { z } from 'zod';
import { openBatchStorage } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler, executionFields, firstInput } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';

/** What the state machine was started with, and which execution that is. */
export const listBatchesInputSchema = z.strictObject({ ...executionFields });

export type ListBatchesInput = z.output<typeof listBatchesInputSchema>;

export interface ListBatchesOutput {
  readonly total_batches: number;
  /** Whether more batches exist, which a later execution polls. */
  readonly more: boolean;
  /** Rows that could not be read, and were skipped and logged. */
  readonly invalid_rows: number;
  readonly execution_name: string;
  /** The list, as JSON lines in S3. */
  readonly manifest: { readonly bucket: string; readonly key: string };
}

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const clock: Clock = () => new Date();

/**
 * Lists the batches to look after, and writes the list where the Map reads it.
 *
 * @example
 * // event: what the execution was started with, and which it is
 * { input: {}, execution_name: 'poll-1', execution_id: 'arn:…' }
 * // answer
 * {
 *   total_batches: 2, more: false, invalid_rows: 0, execution_name: 'poll-1',
 *   manifest: { bucket: 'embedding-batches', key: 'polls/poll-1/batches.jsonl' },
 * }
 */
export const handler = createHandler(declaration, {
  input: firstInput(listBatchesInputSchema),
  handle: async (input, { logger, metrics, requestId }) => {
    const listed = await listBatches(
      input,
      {
        listPending: (most) => listPendingEmbeddingBatches(table, { now: clock(), most, logger }),
        writeManifest: (executionName, batches) =>
          storage.writeManifest('batch_poll', executionName, batches),
        clock,
        metrics,
      },
      requestId,
    );
    logger.info('batches listed', { ...listed });
    return listed;
  },
});

export interface ListBatchesPorts {
  readonly listPending: (most: number) => Promise<PendingBatches>;
  readonly writeManifest: (
    executionName: string,
    batches: readonly { readonly batch_id: string }[],
  ) => Promise<ListBatchesOutput['manifest']>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** How many batches one execution looks after: those that were not looked after for longest. */
const MOST_BATCHES = 250;

/** @param defaultName names the files where no execution calls. */
export async function listBatches(
  { Name: executionName }: ListBatchesInput,
  { listPending, writeManifest, clock: now, metrics }: ListBatchesPorts,
  defaultName: string,
): Promise<ListBatchesOutput> {
  const { batches, more, invalid_rows, ...pending } = await listPending(MOST_BATCHES);
  metrics.count('InvalidRows', invalid_rows);
  metrics.countEach('PendingBatches', pending.by_status);
  metrics.count('ParkedBatches', pending.parked);
  metrics.count('OldestPendingBatchAge', secondsSince(pending.oldest_submitted_at, now()));
  const name = executionName ?? defaultName;
  return {
    total_batches: batches.length,
    more,
    invalid_rows,
    execution_name: name,
    manifest: await writeManifest(
      name,
      batches.map(({ batch_id }) => ({ batch_id })),
    ),
  };
}

function secondsSince(then: Date | undefined, now: Date): number {
  // One clock may be a little behind another.
  return then === undefined ? 0 : Math.max(0, (now.getTime() - then.getTime()) / 1_000);
}
