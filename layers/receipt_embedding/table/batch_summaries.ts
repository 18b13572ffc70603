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
 * A lease: the right of one execution to work on a batch. It expires by itself, after longer than a function may run,
 * so that an execution that died keeps nobody off for ever.
 */
export interface BatchClaim {
  readonly batch_id: string;
  /** The execution's name. */
  readonly owner: string;
  readonly now: Date;
}

/** A Lambda function's 15 minutes, and five for the state machine's way from one to the next. */
const LEASE_MS = 20 * 60_000;

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
  { owner, now }: BatchClaim,
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
 * const batch = await claimBatch(table, { batch_id, owner: 'poll-1', now: new Date() });
 * // { batch_id, status: 'PENDING', claimed_by: 'poll-1', claim_expires_at: '2025-03-01T10:20:00.000+00:00', … }
 * ```
 */
export async function claimBatch(
  table: Table,
  claim: BatchClaim,
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

/** What may change of a batch; what is undefined does not. */
export type BatchChanges = Partial<
  Omit<BatchSummary, 'batch_id' | 'batch_type' | 'claimed_by' | 'claim_expires_at' | 'receipt_refs'>
>;

/**
 * Changes a batch, on condition that `claim.owner` has its lease, which is prolonged or, with `endClaim`, ended.
 *
 * @throws ConcurrentUpdate when the lease has been lost to another execution.
 * @example
 * ```ts
 * await updateBatch(table, claim, { status: 'COMPLETED' }, { endClaim: true });
 * ```
 */
export async function updateBatch(
  table: Table,
  { batch_id, owner, now }: BatchClaim,
  changes: BatchChanges,
  { endClaim = false }: { readonly endClaim?: boolean } = {},
): Promise<void> {
  const attributes = Object.entries({
    ...changes,
    GSI1PK: changes.status === undefined ? undefined : batchStatusKey(changes.status),
    claim_expires_at: endClaim ? undefined : expiry(now),
  }).filter(([, value]) => value !== undefined);
  const names = Object.fromEntries(attributes.map(([name]) => [`#${name}`, name]));
  const set = attributes.map(([name]) => `#${name} = :${name}`).join(', ');
  const held = await updateRow(table, batchSummaryKey(batch_id), {
    UpdateExpression:
      (set === '' ? '' : `SET ${set}`) + (endClaim ? ' REMOVE claimed_by, claim_expires_at' : ''),
    ConditionExpression: 'claimed_by = :owner',
    ...(attributes.length === 0 ? {} : { ExpressionAttributeNames: names }),
    values: { owner, ...Object.fromEntries(attributes) },
  });
  if (held || (endClaim && (await isDone(table, batch_id, changes)))) return;
  throw new ConcurrentUpdate(
    `the execution ${owner} has lost the lease of batch ${batch_id}: another one works on it, or has ended it`,
  );
}

/** An update that ends the lease can't be repeated: where only its answer was lost, a retry finds it done. */
async function isDone(table: Table, batchId: string, changes: BatchChanges): Promise<boolean> {
  const batch = await readBatchSummary(table, batchId);
  if (batch === undefined || batch.claimed_by !== undefined) return false;
  return Object.entries(changes).every(
    ([name, value]) => value === undefined || batch[name as keyof BatchChanges] === value,
  );
}
