import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pMap from 'p-map';
import type { PartRow } from 'receipt-embedding/batches/batch_files';
import {
  partition,
  type RequestedEntities,
  ResultCollector,
  VectorSpool,
} from 'receipt-embedding/batches/collect_results';
import {
  type BatchEmbedding,
  downloadOpenaiBatchResult,
  type RejectedRow,
} from 'receipt-embedding/batches/download_results';
import { readRequestedEntities } from 'receipt-embedding/batches/requested_entities';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import {
  batchStatusSchema,
  type BatchSummary,
  batchTypeSchema,
} from 'receipt-embedding/entities/batch';
import { withTemporaryFolder } from 'receipt-embedding/local_files';
import type { Logger } from 'receipt-embedding/ports';
import { updateBatch } from 'receipt-embedding/table/batch_summaries';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { z } from 'zod';
import { leasedBatch, openBatchStorage } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler, executionNameSchema } from '../runtime/handler.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';

/** The answer of get_batch_status. */
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
  /** Where the results are, some 1,000 in each part: at most some hundred parts. */
  readonly parts: readonly { readonly key: string }[];
};

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const dimensions = environment.EMBEDDING_DIMENSIONS;

/**
 * Brings the results of a batch, which come in any order and may be a gigabyte, into parts that hold whole receipts.
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1',
 *   batch_status: 'COMPLETED', reason: null,
 *   input_file_id: 'file-1', output_file_id: 'file-2', error_file_id: null,
 * }
 * // answer
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1',
 *   batch_status: 'COMPLETED', reason: null,
 *   results: { embedded: 6, refused: 0, lost: 0, doubled: 0, unknown: 0, unreadable: 0, prompt_tokens: 50 },
 *   parts: [{ key: 'batches/6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70/results/part-00000.jsonl' }],
 * }
 */
export const handler = createHandler(declaration, {
  input: downloadInputSchema,
  handle: async (input, { logger }) => {
    const { batch_id } = input;
    const openai = createOpenAIClient({
      apiKey: await requireSecret(environment, 'openai'),
      baseURL: environment.OPENAI_BASE_URL,
    });
    const claim = () => ({ batch_id, owner: input.execution_name, now: new Date() });
    const result = await withTemporaryFolder(tmpdir(), async (folder) => {
      const spool = new VectorSpool(join(folder, 'vectors'), dimensions);
      try {
        return await downloadResults(input, {
          claimed: () => leasedBatch(table, claim()),
          requestedEntities: (batch) =>
            readRequestedEntities(batch, input.input_file_id, {
              storage,
              openai,
              readText: (receipt) => readReceiptText(table, receipt, logger),
            }),
          recordRequested: async (ids) => {
            await storage.writeRequestedIds(batch_id, ids);
            await updateBatch(table, claim(), { requested: ids.length });
          },
          results: (onRejected) =>
            downloadOpenaiBatchResult(openai, input, { dimensions, onRejected }),
          spool,
          writePart: (part, rows) => storage.writePart(batch_id, part, rows),
          logger,
        });
      } finally {
        spool.close();
      }
    });
    logger.info('results downloaded', {
      ...result,
      reason: undefined,
      parts: result.parts.length,
    });
    return result;
  },
});

export interface DownloadPorts {
  /** @throws ConcurrentUpdate when the lease is no longer this execution's. */
  readonly claimed: () => Promise<BatchSummary>;
  readonly requestedEntities: (batch: BatchSummary) => Promise<RequestedEntities>;
  /** Keeps what a legacy batch has asked for, once that is known. */
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

/** @throws ResultsExpired, UpstreamUnavailable, RateLimited, InvalidConfiguration, ConcurrentUpdate. */
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
    if (rejected > ROWS_LOGGED) return;
    // OpenAI's reason may quote the input: it goes to the table, not into a log.
    ports.logger.warn('a row of the results has no vector', {
      kind: row.kind,
      custom_id: 'custom_id' in row ? row.custom_id : undefined,
    });
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

/** The reason that OpenAI does not know: rows of its own cannot be read, so that their lines and words return to NONE. */
function whyLost({ lost, unreadable }: ResultCounts): string | null {
  if (lost === 0 || unreadable === 0) return null;
  return `rows of its results that can not be read: ${unreadable}`;
}
