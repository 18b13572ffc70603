import { z } from 'zod';
import {
  batchStatusKey,
  type BatchSummary,
  batchSummaryCodec,
  batchSummaryKey,
  ENDED_BATCH_STATUSES,
} from '../entities/batch.ts';
import { toTimestamp } from '../entities/keys.ts';
import { ConcurrentUpdate, InvalidReceiptData } from '../errors.ts';
import { problemsOf } from './rows.ts';
import { getRow, putRow, type Table, updateRow } from './table.ts';

/**
 * A lease: the right of one owner to work on a batch. It expires by itself a few minutes after the last function at work has
 * prolonged it, so that an execution that was stopped, or died, keeps nobody off for long.
 */
export interface BatchLease {
  readonly batch_id: string;
  /**
   * The ARN of an execution: names are not identities, another state machine's execution may have the same. A submission's is
   * that and its invocation, since two of them would create two batches.
   */
  readonly owner: string;
  readonly now: Date;
}

/** Longer than a state machine waits before it tries a step again; a function at work prolongs it four times as often. */
export const LEASE_MS = 3 * 60_000;
export const LEASE_RENEWAL_MS = LEASE_MS / 4;

function expiry(now: Date): string {
  return toTimestamp(new Date(now.getTime() + LEASE_MS));
}

/**
 * Records a new batch, leased to its owner.
 *
 * @returns false when a batch of this id exists already.
 * @example
 * ```ts
 * await createBatchSummary(table, batch, { batch_id: batch.batch_id, owner: 'submit-1', now: new Date() }); // true
 * ```
 */
export async function createBatchSummary(
  table: Table,
  batch: BatchSummary,
  { owner, now }: BatchLease,
): Promise<boolean> {
  const leased = { ...batch, claimed_by: owner, claim_expires_at: expiry(now) };
  return await putRow(table, z.encode(batchSummaryCodec, leased), { onlyNew: true });
}

/**
 * Reads a batch, consistently.
 *
 * @returns undefined when there is no batch of this id.
 * @throws InvalidReceiptData when its row can't be read.
 */
export async function readBatchSummary(
  table: Table,
  batchId: string,
): Promise<BatchSummary | undefined> {
  const row = await getRow(table, batchSummaryKey(batchId), { ConsistentRead: true });
  if (row === undefined) return undefined;
  const decoded = z.safeDecode(batchSummaryCodec, row as never);
  if (decoded.success) return decoded.data;
  throw new InvalidReceiptData(
    `the summary of batch ${batchId} can not be read: ${problemsOf(decoded.error).join('; ')}`,
  );
}

/**
 * Takes the lease of a batch that has not ended, or prolongs it.
 *
 * @returns the batch as it is now; undefined when it has ended, or another execution has the lease.
 * @example
 * ```ts
 * const batch = await leaseBatch(table, { batch_id, owner: 'poll-1', now: new Date() });
 * // { batch_id, status: 'PENDING', claimed_by: 'poll-1', claim_expires_at: '2025-03-01T10:20:00.000+00:00', … }
 * ```
 */
export async function leaseBatch(
  table: Table,
  claim: BatchLease,
): Promise<BatchSummary | undefined> {
  const { batch_id, owner, now } = claim;
  const ended = ENDED_BATCH_STATUSES.map((status, at) => [`ended${at}`, status] as const);
  const held = await updateRow(table, batchSummaryKey(batch_id), {
    UpdateExpression: 'SET claimed_by = :owner, claim_expires_at = :expiry',
    ConditionExpression:
      `attribute_exists(PK) AND NOT #status IN (${ended.map(([name]) => `:${name}`).join(', ')})` +
      ' AND (attribute_not_exists(claimed_by) OR claimed_by = :owner OR claim_expires_at < :now)',
    ExpressionAttributeNames: { '#status': 'status' },
    values: { owner, expiry: expiry(now), now: toTimestamp(now), ...Object.fromEntries(ended) },
  });
  return held ? await readBatchSummary(table, batch_id) : undefined;
}

/**
 * Prolongs a lease.
 *
 * @returns false when the owner no longer has it.
 */
export async function renewLease(
  table: Table,
  { batch_id, owner, now }: BatchLease,
): Promise<boolean> {
  return await updateRow(table, batchSummaryKey(batch_id), {
    UpdateExpression: 'SET claim_expires_at = :expiry',
    ConditionExpression: 'claimed_by = :owner',
    values: { owner, expiry: expiry(now) },
  });
}

/** What may change of a batch; what is undefined does not. */
export type BatchChanges = Partial<
  Omit<BatchSummary, 'batch_id' | 'batch_type' | 'claimed_by' | 'claim_expires_at' | 'receipt_refs'>
>;

export interface BatchUpdateOptions {
  readonly endLease?: boolean;
  /** Attributes that are taken away. */
  readonly clear?: readonly (keyof BatchChanges)[];
  /** Changes it only while `creating_since` is as it was read. */
  readonly creatingSince?: { readonly read: string | undefined };
}

/**
 * Changes a batch, on condition that `claim.owner` has its lease, which is prolonged or, with `endLease`, ended.
 *
 * @throws ConcurrentUpdate when the lease has been lost to another owner, or `creating_since` is not as it was read.
 * @example
 * ```ts
 * await updateBatch(table, claim, { status: 'COMPLETED' }, { endLease: true });
 * ```
 */
export async function updateBatch(
  table: Table,
  { batch_id, owner, now }: BatchLease,
  changes: BatchChanges,
  { endLease = false, clear = [], creatingSince }: BatchUpdateOptions = {},
): Promise<void> {
  const attributes = Object.entries({
    ...changes,
    GSI1PK: changes.status === undefined ? undefined : batchStatusKey(changes.status),
    claim_expires_at: endLease ? undefined : expiry(now),
  }).filter(([, value]) => value !== undefined);
  const names = Object.fromEntries(attributes.map(([name]) => [`#${name}`, name]));
  const set = attributes.map(([name]) => `#${name} = :${name}`).join(', ');
  const removed = [...clear, ...(endLease ? ['claimed_by', 'claim_expires_at'] : [])];
  const asRead = creatingSince === undefined ? undefined : creationAsRead(creatingSince.read);
  const held = await updateRow(table, batchSummaryKey(batch_id), {
    UpdateExpression: [
      ...(set === '' ? [] : [`SET ${set}`]),
      ...(removed.length === 0 ? [] : [`REMOVE ${removed.join(', ')}`]),
    ].join(' '),
    ConditionExpression: `claimed_by = :owner${asRead?.condition ?? ''}`,
    ...(attributes.length === 0 ? {} : { ExpressionAttributeNames: names }),
    values: { owner, ...asRead?.values, ...Object.fromEntries(attributes) },
  });
  if (held || (endLease && (await isDone(table, batch_id, changes)))) return;
  throw new ConcurrentUpdate(
    `${owner} has lost the lease of batch ${batch_id}: another one works on it, or has ended it`,
  );
}

/** A try of the same update whose answer was lost has written the new value already. */
function creationAsRead(read: string | undefined): {
  readonly condition: string;
  readonly values: Readonly<Record<string, string>>;
} {
  return read === undefined
    ? {
        condition:
          ' AND (attribute_not_exists(creating_since) OR creating_since = :creating_since)',
        values: {},
      }
    : {
        condition: ' AND (creating_since = :read OR creating_since = :creating_since)',
        values: { read },
      };
}

/** An update that ends the lease can't be repeated: where only its answer was lost, a retry finds it done. */
async function isDone(table: Table, batchId: string, changes: BatchChanges): Promise<boolean> {
  const batch = await readBatchSummary(table, batchId);
  if (batch === undefined || batch.claimed_by !== undefined) return false;
  return Object.entries(changes).every(
    ([name, value]) => value === undefined || batch[name as keyof BatchChanges] === value,
  );
}
