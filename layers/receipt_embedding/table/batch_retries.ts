import { batchSummaryKey, type BatchSummary, ENDED_BATCH_STATUSES } from '../entities/batch.ts';
import { epochMilliseconds, toTimestamp } from '../entities/keys.ts';
import { type BatchLease, updateBatch } from './batch_summaries.ts';
import { type Table, updateRow } from './table.ts';

/**
 * How long a batch rests after its n-th failure: the first may be over by the next poll, an outage by the next day. After one
 * more it is parked: some 21 hours of OpenAI's 30 days are gone by then.
 */
const RESTS_MS = [0, 15, 60, 20 * 60].map((minutes) => minutes * 60_000);

/** After so many failures no poll tries a batch any more. */
export const MOST_ATTEMPTS = RESTS_MS.length + 1;

/** Parked: no poll tries it again until somebody asks for it. */
export interface RecordedFailure {
  readonly attempts: number;
  readonly parked: boolean;
}

/**
 * Records why an execution could not finish a batch, and ends its lease. The batch rests, longer each time, and is parked after
 * the fifth: its status and its claims stay.
 *
 * @param batch as it is, leased.
 * @param reason in words of our own.
 * @throws ConcurrentUpdate when the lease is lost.
 * @example
 * ```ts
 * await recordFailure(table, claim, batch, 'RateLimited: slow down'); // { attempts: 2, parked: false }
 * ```
 */
export async function recordFailure(
  table: Table,
  claim: BatchLease,
  batch: Pick<BatchSummary, 'attempts' | 'parked_at'>,
  reason: string,
): Promise<RecordedFailure> {
  const attempts = (batch.attempts ?? 0) + 1;
  const now = toTimestamp(claim.now);
  const rest = RESTS_MS[attempts - 1];
  const next =
    rest === undefined
      ? { parked_at: batch.parked_at ?? now }
      : { retry_at: toTimestamp(new Date(claim.now.getTime() + rest)) };
  const changes = { last_error: reason, attempts, polled_at: now, ...next };
  await updateBatch(table, claim, changes, { endLease: true });
  return { attempts, parked: rest === undefined };
}

/** What a batch that goes well again no longer has. */
export const RETRY_ATTRIBUTES = ['attempts', 'retry_at', 'parked_at', 'last_error'] as const;

/** Whether a poll may try a batch now. */
export function isDue(
  { retry_at, parked_at }: Pick<BatchSummary, 'retry_at' | 'parked_at'>,
  now: Date,
): boolean {
  if (parked_at !== undefined) return false;
  return retry_at === undefined || epochMilliseconds(retry_at) <= now.getTime();
}

/**
 * Lets the next poll take a batch up again that rests or is parked. The step that it has reached stays.
 *
 * @returns false when it has ended, or is not there.
 */
export async function takeUpAgain(table: Table, batchId: string): Promise<boolean> {
  const ended = ENDED_BATCH_STATUSES.map((status, at) => [`ended${at}`, status] as const);
  return await updateRow(table, batchSummaryKey(batchId), {
    UpdateExpression: 'REMOVE attempts, retry_at, parked_at, polled_at',
    ConditionExpression: `attribute_exists(PK) AND NOT #status IN (${ended.map(([name]) => `:${name}`).join(', ')})`,
    ExpressionAttributeNames: { '#status': 'status' },
    values: Object.fromEntries(ended),
  });
}

/** Notes that the results of a part are recorded: no later try does it again. */
export async function notePartDone(
  table: Table,
  { batch_id, owner }: BatchLease,
  part: string,
): Promise<void> {
  await updateRow(table, batchSummaryKey(batch_id), {
    UpdateExpression: 'ADD parts_done :part',
    ConditionExpression: 'claimed_by = :owner',
    values: { owner, part: new Set([part]) },
  });
}
