import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartRow } from 'receipt-embedding/batches/batch_files';
import {
  isOfType,
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
import { believeMissing } from 'receipt-embedding/batches/openai_batches';
import { readRequestedEntities } from 'receipt-embedding/batches/requested_entities';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import {
  batchStatusSchema,
  type BatchSummary,
  batchTypeSchema,
  ENDED_BATCH_STATUSES,
  type ResultCounts,
} from 'receipt-embedding/entities/batch';
import { parsePath, rowKey } from 'receipt-embedding/entities/keys';
import { withTemporaryFolder } from 'receipt-embedding/local_files';
import { BATCH_FILES, partName } from 'receipt-embedding/object_keys';
import type { Logger } from 'receipt-embedding/ports';
import { mapSettled } from 'receipt-embedding/settled_map';
import { updateBatch } from 'receipt-embedding/table/batch_summaries';
import { UPDATES_AT_ONCE } from 'receipt-embedding/table/embedding_statuses';
import { MOST_UNEXPLAINED, noteUnexplained } from 'receipt-embedding/table/unexplained_refusals';
import { describeOpenAIError } from 'receipt-embedding/vendor_answers/openai';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { z } from 'zod';
import { ResultsExpired } from 'receipt-embedding/errors';
import {
  batchWorkFields,
  keepingLease,
  leasedBatch,
  openBatchStorage,
} from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { ownObjects } from '../runtime/openai_objects.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';

/** The answer of get_batch_status. */
export const downloadInputSchema = z.object({
  ...batchWorkFields,
  batch_type: batchTypeSchema,
  batch_status: batchStatusSchema.extract(ENDED_BATCH_STATUSES),
  reason: z.string().nullable(),
  input_file_id: z.string().nullable(),
  output_file_id: z.string().nullable(),
  error_file_id: z.string().nullable(),
});

export type DownloadInput = z.output<typeof downloadInputSchema>;

export type DownloadOutput = Omit<DownloadInput, `${string}_file_id`> & {
  readonly results: ResultCounts;
  /** Where the results are that are not recorded yet, some 1,000 in each part: at most some hundred parts. */
  readonly parts: readonly { readonly key: string }[];
};

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/**
 * Brings the results of a batch, which come in any order and may be a gigabyte, into parts that hold whole receipts. What an earlier
 * execution has brought is not brought again.
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1',
 *   execution_id: 'arn:…', batch_status: 'COMPLETED', reason: null,
 *   input_file_id: 'file-1', output_file_id: 'file-2', error_file_id: null,
 * }
 * // answer
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1',
 *   execution_id: 'arn:…', batch_status: 'COMPLETED', reason: null,
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
    const claim = () => ({ batch_id, owner: input.execution_id, now: new Date() });
    const result = await keepingLease(table, claim(), () =>
      withTemporaryFolder(tmpdir(), (folder) =>
        downloadResults(input, {
          claimed: () => leasedBatch(table, claim()),
          requestedEntities: (batch) =>
            readRequestedEntities(batch, input.input_file_id, {
              storage,
              openai,
              believeMissing: (what) => believeMissing(batch, what, ownObjects(table, openai)),
              readText: (receipt) => readReceiptText(table, receipt, logger),
            }),
          recordRequested: async (ids) => {
            await storage.writeRequestedIds(batch_id, ids);
            await updateBatch(table, claim(), { requested: ids.length });
          },
          results: (dimensions, onRejected) =>
            downloadOpenaiBatchResult(openai, input, { dimensions, onRejected }),
          believeMissing: (batch) =>
            believeMissing(batch, 'result file of it', ownObjects(table, openai)),
          openSpool: (dimensions) => new VectorSpool(join(folder, 'vectors'), dimensions),
          writePart: (part, rows) => storage.writePart(batch_id, part, rows),
          noteUnexplained: (id, text) => {
            const image = parsePath(id)?.image_id;
            return image === undefined
              ? Promise.resolve(0)
              : noteUnexplained(table, rowKey(image, id), text, batch_id);
          },
          recordDownload: (downloaded) => updateBatch(table, claim(), { downloaded }),
          partKey: (part) => BATCH_FILES.part(batch_id, part),
          // A batch of another system's does not say.
          dimensions: environment.EMBEDDING_DIMENSIONS,
          logger,
        }),
      ),
    );
    logger.info('results downloaded', {
      ...result,
      reason: undefined,
      parts: result.parts.length,
    });
    return result;
  },
});

type Download = NonNullable<BatchSummary['downloaded']>;

export interface DownloadPorts {
  /** @throws ConcurrentUpdate when the lease is no longer this execution's. */
  readonly claimed: () => Promise<BatchSummary>;
  readonly requestedEntities: (batch: BatchSummary) => Promise<RequestedEntities>;
  /** Keeps what a legacy batch has asked for, once that is known. */
  readonly recordRequested: (ids: readonly string[]) => Promise<void>;
  readonly results: (
    dimensions: number,
    onRejected: (row: RejectedRow) => void,
  ) => AsyncIterable<BatchEmbedding>;
  /** @throws InvalidConfiguration when OpenAI's word that it has no such file proves nothing. */
  readonly believeMissing: (batch: BatchSummary) => Promise<void>;
  readonly openSpool: (dimensions: number) => VectorSpool;
  /** @returns the part's key. */
  readonly writePart: (part: number, rows: readonly PartRow[]) => Promise<string>;
  /** Notes on a line or word that this batch was refused it without a known reason. @returns in how many batches it was. */
  readonly noteUnexplained: (customId: string, text: string) => Promise<number>;
  /** Notes that the results are here, so that no later try brings them again. */
  readonly recordDownload: (download: Download) => Promise<void>;
  readonly partKey: (part: number) => string;
  /** Of the vectors of a batch that does not say. */
  readonly dimensions: number;
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
  const download = batch.downloaded ?? (await bringResults(input, batch, ports));
  const { batch_id, batch_type, execution_name, execution_id } = input;
  const { batch_status, reason, results } = download;
  const parts = Array.from({ length: download.parts }, (_, part) => ports.partKey(part))
    .filter((key) => batch.parts_done?.has(partName(key)) !== true)
    .map((key) => ({ key }));
  return {
    batch_id,
    batch_type,
    execution_name,
    execution_id,
    batch_status,
    reason,
    results,
    parts,
  };
}

/** Reads with the dimensions that the batch was made with: the environment's may be others by now. */
async function bringResults(
  input: DownloadInput,
  batch: BatchSummary,
  ports: DownloadPorts,
): Promise<Download> {
  const dimensions = batch.dimensions ?? ports.dimensions;
  const requested = await ports.requestedEntities(batch);
  const spool = ports.openSpool(dimensions);
  try {
    const collector = new ResultCollector(batch.batch_type, requested, spool);
    let rejected = 0;
    const onRejected = (row: RejectedRow): void => {
      collector.reject(row);
      rejected++;
      if (rejected > ROWS_LOGGED) return;
      // An id that is none of ours may be anything.
      ports.logger.warn('a row of the results has no vector', {
        kind: row.kind,
        custom_id:
          'custom_id' in row && isOfType(row.custom_id, batch.batch_type)
            ? row.custom_id
            : undefined,
      });
    };
    try {
      for await (const embedding of ports.results(dimensions, onRejected)) collector.add(embedding);
    } catch (error) {
      if (error instanceof ResultsExpired) await ports.believeMissing(batch);
      throw error;
    }
    await blameWhatIsAlwaysRefused(collector, ports);
    if (batch.requested === undefined) await ports.recordRequested([...collector.ids]);

    const answered = [...collector.ids].filter((id) => collector.hasRow(id));
    const parts = await mapSettled(
      partition(answered),
      async (ids, part) => {
        const rows = ids.flatMap((id) => collector.rowOf(id) ?? []);
        return await ports.writePart(part, rows);
      },
      { atOnce: CONCURRENCY },
    );
    const results = collector.counts;
    const reason = input.reason ?? whyLost(input, collector);
    const download = { batch_status: input.batch_status, reason, parts: parts.length, results };
    await ports.recordDownload(download);
    return download;
  } finally {
    spool.close();
  }
}

/** More texts than these, and no other one in the batch that is embedded, are not to blame: something else is wrong. */
const MOST_OF_ONE_KIND = 100;

/**
 * A refusal that no table explains is nobody's fault at first: the line or word returns to NONE, and the next batch asks again. One that
 * several batches were refused is taken to be its own reason.
 */
async function blameWhatIsAlwaysRefused(
  collector: ResultCollector,
  { noteUnexplained }: DownloadPorts,
): Promise<void> {
  const { unexplained, counts } = collector;
  if (counts.embedded === 0 && unexplained.length > MOST_OF_ONE_KIND) return;
  await mapSettled(
    unexplained,
    async ({ custom_id, text, reason }) => {
      // An older system's batch does not say what it has embedded, and is not submitted again.
      const batches = text === undefined ? 0 : await noteUnexplained(custom_id, text);
      if (batches < MOST_UNEXPLAINED) return;
      collector.blame(custom_id, `${reason}; ${batches} batches were refused it`);
    },
    { atOnce: UPDATES_AT_ONCE },
  );
}

/** Reasons that a batch's record names; more are rare. */
const REASONS_NAMED = 3;
/** That rows have these reasons is what the batch's status says. */
const SAID_BY_STATUS: Readonly<Partial<Record<DownloadInput['batch_status'], string>>> = {
  EXPIRED: describeOpenAIError({ code: 'batch_expired' }),
  CANCELLED: describeOpenAIError({ code: 'batch_cancelled' }),
};

/** Why lines and words return to NONE although the batch has results, in our own words. */
function whyLost(
  { batch_status }: DownloadInput,
  { whyLost, counts: { lost, unreadable } }: ResultCollector,
): string | null {
  const reasons = [...whyLost]
    .filter(([reason]) => reason !== SAID_BY_STATUS[batch_status])
    .slice(0, REASONS_NAMED)
    .map(([reason, count]) => `${reason} (rows: ${count})`);
  if (lost > 0 && unreadable > 0) {
    reasons.unshift(`rows of its results that can not be read: ${unreadable}`);
  }
  return reasons.length === 0 ? null : reasons.join('; ');
}
