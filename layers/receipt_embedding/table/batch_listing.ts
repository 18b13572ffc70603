import {
  ACTIVE_BATCH_STATUSES,
  type ActiveBatchStatus,
  batchStatusKey,
  type BatchSummary,
  batchSummaryCodec,
  batchTypeKey,
  STORED_ACTIVE_STATUSES,
  STORED_BATCH_TYPES,
} from '../entities/batch.ts';
import { epochMilliseconds } from '../entities/keys.ts';
import type { Logger } from '../ports.ts';
import { isDue } from './batch_retries.ts';
import { readRows } from './rows.ts';
import { queryPages, type Table } from './table.ts';

/** Without the list of receipts, which may be hundreds of kilobytes. */
const ATTRIBUTES = [
  'PK',
  'SK',
  'TYPE',
  'batch_type',
  'status',
  'openai_batch_id',
  'submitted_at',
  'result_file_id',
  'retry_at',
  'polled_at',
  'parked_at',
] as const;

/** A submission that takes longer than its function may run has died. */
const SUBMISSION_MS = 15 * 60_000;

export interface PendingBatches {
  /** Those first that were not looked after for longest; their `receipt_refs` are not read. */
  readonly batches: readonly BatchSummary[];
  /** Whether there are more than these. */
  readonly more: boolean;
  /** How many have not ended, those that are being submitted just now too. */
  readonly by_status: Readonly<Record<ActiveBatchStatus, number>>;
  /** Since when the oldest of them has been pending; undefined when there is none. */
  readonly oldest_submitted_at: Date | undefined;
  /** How many no poll tries any more. */
  readonly parked: number;
  /** Rows that could not be read, and were skipped and logged. */
  readonly invalid_rows: number;
}

/**
 * The batches that are to be looked after: every one that has not ended, except those that are being submitted just now, that
 * rest after a failure, or that are parked. In turn, so that those that are stuck keep no others from it. Also in the forms that legacy rows have (docs/data_model.md §1).
 *
 * @param most at most so many.
 * @example
 * ```ts
 * await listPendingEmbeddingBatches(table, { now: new Date(), most: 100, logger });
 * // { batches: [{ batch_id: '0b6a…', status: 'IN_PROGRESS', … }], more: false, by_status: { IN_PROGRESS: 1, … },
 * //   oldest_submitted_at: new Date('2025-03-01T10:00:00Z'), parked: 0, invalid_rows: 0 }
 * ```
 */
export async function listPendingEmbeddingBatches(
  table: Table,
  { now, most, logger }: { readonly now: Date; readonly most: number; readonly logger: Logger },
): Promise<PendingBatches> {
  const { batches, invalid_rows } = await readActiveBatches(table, logger);
  const due = batches
    .filter((batch) => isDue(batch, now))
    .filter((batch) => batch.status !== 'SUBMITTING' || submissionDied(batch, now))
    .map((batch) => ({ batch, since: waitingSince(batch) }))
    .sort((a, b) => a.since - b.since || (a.batch.batch_id < b.batch.batch_id ? -1 : 1))
    .map(({ batch }) => batch);
  const oldest = batches
    .map(({ submitted_at }) => epochMilliseconds(submitted_at))
    .reduce<number | undefined>((least, at) => Math.min(least ?? at, at), undefined);
  return {
    batches: due.slice(0, most),
    more: due.length > most,
    by_status: countByStatus(batches),
    oldest_submitted_at: oldest === undefined ? undefined : new Date(oldest),
    parked: batches.filter(({ parked_at }) => parked_at !== undefined).length,
    invalid_rows,
  };
}

/** Since when it is a batch's turn: a poll that looked after it, or a rest, has put it behind the others. */
function waitingSince({ retry_at, polled_at, submitted_at }: BatchSummary): number {
  return epochMilliseconds(retry_at ?? polled_at ?? submitted_at);
}

/** Whether a batch has been SUBMITTING for longer than a submission can take. */
export function submissionDied(
  { status, submitted_at }: Pick<BatchSummary, 'status' | 'submitted_at'>,
  now: Date,
): boolean {
  return (
    status === 'SUBMITTING' && epochMilliseconds(submitted_at) <= now.getTime() - SUBMISSION_MS
  );
}

/**
 * Every batch that has not ended, in no particular order, also in the forms that legacy rows have.
 *
 * @param more attributes to read beside those that no batch is without; `receipt_refs` is best left out: it may be hundreds of kilobytes.
 * @example
 * ```ts
 * await readActiveBatches(table, logger, ['submitted_by']); // { batches: [{ batch_id, status: 'PENDING', … }], invalid_rows: 0 }
 * ```
 */
export async function readActiveBatches(
  table: Table,
  logger: Logger,
  more: readonly (keyof BatchSummary)[] = [],
): Promise<{ readonly batches: readonly BatchSummary[]; readonly invalid_rows: number }> {
  // A batch that moves on meanwhile is found under both of its statuses; they are listed in the order in which it moves.
  const batches = new Map<string, BatchSummary>();
  let invalidRows = 0;
  const attributes = [...ATTRIBUTES, ...more];
  for (const status of STORED_ACTIVE_STATUSES) {
    for (const type of STORED_BATCH_TYPES) {
      const pages = queryPages(table, {
        IndexName: 'GSI1',
        KeyConditionExpression: 'GSI1PK = :status AND begins_with(GSI1SK, :type)',
        ProjectionExpression: attributes.map((name) => `#${name}`).join(', '),
        ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
        values: { status: batchStatusKey(status), type: batchTypeKey(type) },
      });
      for await (const { rows } of pages) {
        const { entities, invalid } = readRows(rows, batchSummaryCodec, logger);
        for (const batch of entities) batches.set(batch.batch_id, batch);
        invalidRows += invalid.length;
      }
    }
  }
  return { batches: [...batches.values()], invalid_rows: invalidRows };
}

function countByStatus(batches: Iterable<BatchSummary>): Record<ActiveBatchStatus, number> {
  const counts = Object.fromEntries(ACTIVE_BATCH_STATUSES.map((status) => [status, 0])) as Record<
    ActiveBatchStatus,
    number
  >;
  for (const { status } of batches) counts[status as ActiveBatchStatus]++;
  return counts;
}
