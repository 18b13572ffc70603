import {
  batchStatusKey,
  batchSummaryKey,
  type BatchSummary,
  type BatchType,
  batchTypeKey,
  ENDED_BATCH_STATUSES,
  type EndedBatchStatus,
  STORED_BATCH_TYPES,
} from 'receipt-embedding/entities/batch';
import { COMPACTION_STATES } from 'receipt-embedding/entities/compaction_run';
import type { Row } from 'receipt-embedding/entities/keys';
import {
  EMBEDDING_STATUSES,
  type EmbeddingStatus,
  embeddingStatusKey,
} from 'receipt-embedding/entities/line_and_word';
import type { Logger } from 'receipt-embedding/ports';
import { mapSettled } from 'receipt-embedding/settled_map';
import { readActiveBatches } from 'receipt-embedding/table/batch_listing';
import { SHARDS } from 'receipt-embedding/table/receipt_listing';
import {
  type QueryInput,
  type QueryOptions,
  queryPages,
  type Table,
} from 'receipt-embedding/table/table';
import { BULK } from 'receipt-embedding/retry';

/** How many lines and words have which status. */
export type StatusCounts = Readonly<
  Record<'lines' | 'words', Readonly<Record<EmbeddingStatus, number>>>
>;

export interface CountingProgress {
  /** Lines and words so far. */
  readonly counted: number;
  /** Parts of the index that are counted, of all. */
  readonly parts: number;
  readonly all_parts: number;
}

interface CountingOptions extends QueryOptions {
  /** Hears of every page. */
  readonly onProgress?: (progress: CountingProgress) => void;
  /** What image ids begin with, each read as a part of its own. @default 22 of them, for large tables */
  readonly shards?: readonly string[];
}

/** Read at once, for a small table. */
export const ONE_SHARD: readonly string[] = [''];

/** Half the connections that an AWS client keeps would be 25; others want some of the table too. */
const PARTS_AT_ONCE = 16;

/** What the sort keys begin with; legacy rows have no prefix (docs/data_model.md §1). */
const PREFIXES = ['LINE#', 'WORD#', ''] as const;

interface Part {
  readonly status: EmbeddingStatus;
  readonly prefix: (typeof PREFIXES)[number];
  readonly shard: string;
}

/**
 * Counts all lines and words by their status, as the index GSI1 has them: a few numbers come back, but DynamoDB reads the index whole,
 * and that is what it costs. A row that changes its status meanwhile may be counted twice or not at all.
 */
export async function countEmbeddingStatuses(
  table: Table,
  { onProgress, shards = SHARDS, ...reading }: CountingOptions = {},
): Promise<StatusCounts> {
  const counts = { lines: noStatuses(), words: noStatuses() };
  const parts = EMBEDDING_STATUSES.flatMap((status) =>
    PREFIXES.flatMap((prefix) => shards.map((shard): Part => ({ status, prefix, shard }))),
  );
  const progress = { counted: 0, parts: 0, all_parts: parts.length };
  await mapSettled(
    parts,
    async (part) => {
      for await (const { count, rows } of queryPages(table, queryOf(part), {
        ...BULK,
        ...reading,
      })) {
        const lines =
          part.prefix === ''
            ? rows.filter((row) => row['TYPE'] === 'RECEIPT_LINE').length
            : part.prefix === 'LINE#'
              ? count
              : 0;
        counts.lines[part.status] += lines;
        counts.words[part.status] += count - lines;
        progress.counted += count;
        onProgress?.(progress);
      }
      progress.parts++;
      onProgress?.(progress);
    },
    { atOnce: PARTS_AT_ONCE },
  );
  return counts;
}

function queryOf({ status, prefix, shard }: Part): QueryInput {
  const start = `${prefix}IMAGE#${shard}`;
  const query: QueryInput = {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :status AND GSI1SK BETWEEN :start AND :end',
    values: { status: embeddingStatusKey(status), start, end: `${start}~` },
  };
  // Only its TYPE tells a legacy line from a legacy word.
  return prefix === ''
    ? {
        ...query,
        ProjectionExpression: '#type',
        ExpressionAttributeNames: { '#type': 'TYPE' },
      }
    : { ...query, Select: 'COUNT' };
}

function noStatuses(): Record<EmbeddingStatus, number> {
  return { NONE: 0, PENDING: 0, SUCCESS: 0, FAILED: 0, NOISE: 0 };
}

export interface BatchCounts {
  /** Every batch that has not ended, in no particular order; their `receipt_refs` are not read. */
  readonly active: readonly BatchSummary[];
  /** How many have ended, and how. */
  readonly ended: Readonly<Record<EndedBatchStatus, Readonly<Record<BatchType, number>>>>;
  /** How many of those say why they ended otherwise than they should, or why they have returned lines or words to NONE. */
  readonly with_reason: number;
  /** The newest of those. */
  readonly newest_with_reason: readonly EndedWithReason[];
  /** Batches that have not ended whose rows could not be read, and were logged. */
  readonly invalid_rows: number;
}

/** A batch that has ended, and why not as it should have. */
export interface EndedWithReason {
  readonly batch_id: string;
  readonly status: EndedBatchStatus;
  readonly submitted_at: string;
  readonly released: number;
  readonly reason: string;
}

const MOST_WITH_REASON = 10;

/** Reads the batches that have not ended, and counts those that have: reading their reasons costs no more than counting them. */
export async function countBatches(
  table: Table,
  logger: Logger,
  reading: QueryOptions = {},
): Promise<BatchCounts> {
  const { batches, invalid_rows } = await readActiveBatches(table, logger, [
    'submitted_by',
    'last_error',
    'claimed_by',
    'claim_expires_at',
  ]);
  const ended = Object.fromEntries(
    ENDED_BATCH_STATUSES.map((status) => [status, { WORD_EMBEDDING: 0, LINE_EMBEDDING: 0 }]),
  ) as Record<EndedBatchStatus, Record<BatchType, number>>;
  let newest: readonly EndedWithReason[] = [];
  let with_reason = 0;
  for (const status of ENDED_BATCH_STATUSES) {
    for (const type of STORED_BATCH_TYPES) {
      const pages = queryPages(
        table,
        {
          IndexName: 'GSI1',
          KeyConditionExpression: 'GSI1PK = :status AND begins_with(GSI1SK, :type)',
          ProjectionExpression: 'PK, submitted_at, released, reason',
          values: { status: batchStatusKey(status), type: batchTypeKey(type) },
        },
        { ...BULK, ...reading },
      );
      for await (const { rows } of pages) {
        ended[status][type === 'LINE_EMBEDDING' ? type : 'WORD_EMBEDDING'] += rows.length;
        const found = rows.flatMap((row) => endedWithReason(row, status));
        with_reason += found.length;
        newest = [...newest, ...found].sort(newestFirst).slice(0, MOST_WITH_REASON);
      }
    }
  }
  return { active: batches, ended, with_reason, newest_with_reason: newest, invalid_rows };
}

function endedWithReason(
  { PK, submitted_at, released, reason }: Row,
  status: EndedBatchStatus,
): EndedWithReason[] {
  if (typeof reason !== 'string' || typeof submitted_at !== 'string') return [];
  const batch_id = PK.slice(batchSummaryKey('').PK.length);
  return [{ batch_id, status, submitted_at, released: Number(released ?? 0), reason }];
}

function newestFirst(a: EndedWithReason, b: EndedWithReason): number {
  return Date.parse(b.submitted_at) - Date.parse(a.submitted_at);
}

type CompactionState = (typeof COMPACTION_STATES)[number];

/** A run whose lines or words the compactor could not merge. */
export interface FailedRun {
  readonly run_id: string;
  readonly image_id: string;
  readonly receipt_id: number;
  readonly created_at: string;
  readonly lines_state: string;
  readonly words_state: string;
  /** What the compactor said; null where it said nothing, or that half did not fail. */
  readonly lines_error: string | null;
  readonly words_error: string | null;
}

export interface CompactionCounts {
  readonly runs: number;
  readonly lines: Readonly<Record<CompactionState, number>>;
  readonly words: Readonly<Record<CompactionState, number>>;
  /** Runs of which lines, words or both have FAILED; one that was made again since is still among them. */
  readonly failed: number;
  /** The newest of those. */
  readonly newest_failed: readonly FailedRun[];
  /** Runs with a state that no format knows. */
  readonly invalid_rows: number;
}

interface CompactionCounting extends QueryOptions {
  /** How many of the failed runs are told. */
  readonly most_failed: number;
  /** Hears of every page how many runs were read so far. */
  readonly onProgress?: (runs: number) => void;
}

const ATTRIBUTES = [
  'run_id',
  'image_id',
  'receipt_id',
  'created_at',
  'lines_state',
  'words_state',
  'lines_error',
  'words_error',
] as const satisfies readonly (keyof FailedRun)[];

/** Counts the runs by what the compactor has made of their two deltas, newest first; it reads them all. */
export async function countCompactionStates(
  table: Table,
  { most_failed, onProgress, ...reading }: CompactionCounting,
): Promise<CompactionCounts> {
  const counts = { runs: 0, lines: noRuns(), words: noRuns(), failed: 0, invalid_rows: 0 };
  const newest_failed: FailedRun[] = [];
  const pages = queryPages(
    table,
    {
      IndexName: 'GSI1',
      KeyConditionExpression: 'GSI1PK = :runs',
      ProjectionExpression: ATTRIBUTES.join(', '),
      ScanIndexForward: false,
      values: { runs: 'RUNS' },
    },
    { ...BULK, ...reading },
  );
  for await (const { rows } of pages) {
    for (const row of rows) {
      counts.runs++;
      const { lines_state: lines, words_state: words } = row;
      if (!isState(lines) || !isState(words)) {
        counts.invalid_rows++;
        continue;
      }
      counts.lines[lines]++;
      counts.words[words]++;
      if (lines !== 'FAILED' && words !== 'FAILED') continue;
      counts.failed++;
      if (newest_failed.length < most_failed) newest_failed.push(failedRun(row));
    }
    onProgress?.(counts.runs);
  }
  return { ...counts, newest_failed };
}

function failedRun(row: Row): FailedRun {
  const { lines_error = null, words_error = null, ...rest } = row;
  return { ...rest, lines_error, words_error } as unknown as FailedRun;
}

function isState(state: unknown): state is CompactionState {
  return (COMPACTION_STATES as readonly unknown[]).includes(state);
}

function noRuns(): Record<CompactionState, number> {
  return { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 };
}
