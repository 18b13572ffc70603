import pMap from 'p-map';
import type { PartRow } from 'receipt-embedding/batches/batch_files';
import {
  partition,
  type RequestedEntities,
  ResultCollector,
  type ResultCounts,
  type VectorSpool,
} from 'receipt-embedding/batches/collect_results';
import type { BatchEmbedding, RejectedRow } from 'receipt-embedding/batches/download_results';
import {
  batchStatusSchema,
  type BatchSummary,
  batchTypeSchema,
} from 'receipt-embedding/entities/batch';
import type { Logger } from 'receipt-embedding/ports';
import { z } from 'zod';
import { executionNameSchema } from '../runtime/execution_input.ts';

/** What get_batch_status answered. */
export const downloadInputSchema = z.object({
  batch_id: z.uuid(),
  batch_type: batchTypeSchema,
  execution_name: executionNameSchema,
  batch_status: batchStatusSchema,
  reason: z.string().nullable(),
  input_file_id: z.string().nullable(),
  output_file_id: z.string().nullable(),
  error_file_id: z.string().nullable(),
});

export type DownloadInput = z.output<typeof downloadInputSchema>;

export type DownloadOutput = Omit<DownloadInput, `${string}_file_id`> & {
  readonly results: ResultCounts;
  /** Where the results lie, some 1,000 each: at most some hundred. */
  readonly parts: readonly { readonly key: string }[];
};

export interface DownloadPorts {
  /** @throws ConcurrentUpdate when the batch is no longer this execution's. */
  readonly claimed: () => Promise<BatchSummary>;
  readonly requestedEntities: (batch: BatchSummary) => Promise<RequestedEntities>;
  /** Keeps what an older system's batch has asked for, now that it is known. */
  readonly recordRequested: (ids: readonly string[]) => Promise<void>;
  readonly results: (onRejected: (row: RejectedRow) => void) => AsyncIterable<BatchEmbedding>;
  readonly spool: VectorSpool;
  /** @returns the part's key. */
  readonly writePart: (part: number, rows: readonly PartRow[]) => Promise<string>;
  readonly logger: Logger;
}

/** Parts of some 8 MB that are written at once. */
const CONCURRENCY = 3;
/** Rows that one execution's log describes. */
const ROWS_LOGGED = 20;

/**
 * Brings the results of a batch, which come in any order and may be a gigabyte, into parts that hold whole receipts.
 *
 * @throws ResultsExpired, UpstreamUnavailable, RateLimited, InvalidConfiguration, ConcurrentUpdate.
 */
export async function downloadResults(
  input: DownloadInput,
  ports: DownloadPorts,
): Promise<DownloadOutput> {
  const batch = await ports.claimed();
  const requested = await ports.requestedEntities(batch);
  const collector = new ResultCollector(batch.batch_type, requested, ports.spool);
  let rejected = 0;
  const onRejected = (row: RejectedRow): void => {
    collector.reject(row);
    rejected++;
    if (rejected <= ROWS_LOGGED) {
      const { kind, ...about } = row;
      // OpenAI's reason may quote the input: it goes to the table, not into a log.
      const key = 'custom_id' in about ? about.custom_id : undefined;
      ports.logger.warn('a row of the results has no vector', { kind, custom_id: key });
    }
  };
  for await (const embedding of ports.results(onRejected)) collector.add(embedding);
  if (batch.requested === undefined) await ports.recordRequested([...collector.ids]);

  const answered = [...collector.ids].filter((id) => collector.hasRow(id));
  const parts = await pMap(
    partition(answered),
    async (ids, part) => {
      const rows = ids.flatMap((id) => collector.rowOf(id) ?? []);
      return { key: await ports.writePart(part, rows) };
    },
    { concurrency: CONCURRENCY },
  );
  const { batch_id, batch_type, execution_name, batch_status } = input;
  const results = collector.counts;
  const reason = input.reason ?? whyLost(results);
  return { batch_id, batch_type, execution_name, batch_status, reason, results, parts };
}

/** What OpenAI does not know of: that rows of its own are broken, so that what they are of is given back. */
function whyLost({ lost, unreadable }: ResultCounts): string | null {
  if (lost === 0 || unreadable === 0) return null;
  return `rows of its results that can not be read: ${unreadable}`;
}
