import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
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
import { conditionHeld, type Table, toRow } from './table.ts';

/**
 * The right of one execution to work on a batch. It expires by itself, after longer than a function may run,
 * so that an execution that died keeps nobody off for ever.
 */
export interface BatchClaim {
  readonly batch_id: string;
  /** The execution's name. */
  readonly owner: string;
  readonly now: Date;
}

/** A Lambda function's 15 minutes, and five for the state machine's way from one to the next. */
const CLAIM_MS = 20 * 60_000;

function expiry(now: Date): string {
  return toTimestamp(new Date(now.getTime() + CLAIM_MS));
}

/**
 * Records a new batch, claimed by its owner.
 *
 * @returns false when there is a batch of this id already.
 */
export async function createBatchSummary(
  table: Table,
  batch: BatchSummary,
  { owner, now }: BatchClaim,
): Promise<boolean> {
  const claimed = { ...batch, claimed_by: owner, claim_expires_at: expiry(now) };
  return await conditionHeld(
    table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: marshall(z.encode(batchSummaryCodec, claimed), { removeUndefinedValues: true }),
        ConditionExpression: 'attribute_not_exists(PK)',
      }),
    ),
  );
}

/**
 * Reads a batch, consistently.
 *
 * @throws InvalidReceiptData when its row can't be read.
 */
export async function readBatchSummary(
  table: Table,
  batchId: string,
): Promise<BatchSummary | undefined> {
  const { Item } = await table.client.send(
    new GetItemCommand({
      TableName: table.name,
      Key: marshall(batchSummaryKey(batchId)),
      ConsistentRead: true,
    }),
  );
  if (Item === undefined) return undefined;
  const decoded = z.safeDecode(batchSummaryCodec, toRow(Item) as never);
  if (decoded.success) return decoded.data;
  const fields = decoded.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidReceiptData(
    `the summary of batch ${batchId} can not be read: ${fields.join('; ')}`,
  );
}

/**
 * Claims a batch that has not ended, or claims it on.
 *
 * @returns the batch as it is now; undefined when it has ended, or another execution is at work on it.
 */
export async function claimBatch(
  table: Table,
  claim: BatchClaim,
): Promise<BatchSummary | undefined> {
  const { batch_id, owner, now } = claim;
  const ended = ENDED_BATCH_STATUSES.map((status, at) => [`:ended${at}`, status] as const);
  const held = await conditionHeld(
    table.client.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: marshall(batchSummaryKey(batch_id)),
        UpdateExpression: 'SET claimed_by = :owner, claim_expires_at = :expiry',
        ConditionExpression:
          `attribute_exists(PK) AND NOT #status IN (${ended.map(([name]) => name).join(', ')})` +
          ' AND (attribute_not_exists(claimed_by) OR claimed_by = :owner OR claim_expires_at < :now)',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: marshall({
          ':owner': owner,
          ':expiry': expiry(now),
          ':now': toTimestamp(now),
          ...Object.fromEntries(ended),
        }),
      }),
    ),
  );
  return held ? await readBatchSummary(table, batch_id) : undefined;
}

/** What may change of a batch; what is undefined does not. */
export type BatchChanges = Partial<
  Omit<BatchSummary, 'batch_id' | 'batch_type' | 'claimed_by' | 'claim_expires_at' | 'receipt_refs'>
>;

/**
 * Changes a batch, on condition that it is claimed by `claim.owner`, whose claim lasts on or, with `endClaim`, is over.
 *
 * @throws ConcurrentUpdate when the claim has been lost to another execution.
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
  const set = attributes.map(([name]) => `#${name} = :${name}`).join(', ');
  const held = await conditionHeld(
    table.client.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: marshall(batchSummaryKey(batch_id)),
        UpdateExpression:
          (set === '' ? '' : `SET ${set}`) +
          (endClaim ? ' REMOVE claimed_by, claim_expires_at' : ''),
        ConditionExpression: 'claimed_by = :owner',
        ...(attributes.length === 0
          ? {}
          : {
              ExpressionAttributeNames: Object.fromEntries(
                attributes.map(([name]) => [`#${name}`, name]),
              ),
            }),
        ExpressionAttributeValues: marshall({
          ':owner': owner,
          ...Object.fromEntries(attributes.map(([name, value]) => [`:${name}`, value])),
        }),
      }),
    ),
  );
  if (held || (endClaim && (await isDone(table, batch_id, changes)))) return;
  throw new ConcurrentUpdate(
    `batch ${batch_id} is no longer claimed by the execution ${owner}: another one is at work on it, or has ended it`,
  );
}

/** An update that ends the claim can't be repeated: where only its answer was lost, the AWS client has tried it again. */
async function isDone(table: Table, batchId: string, changes: BatchChanges): Promise<boolean> {
  const batch = await readBatchSummary(table, batchId);
  if (batch === undefined || batch.claimed_by !== undefined) return false;
  return Object.entries(changes).every(
    ([name, value]) => value === undefined || batch[name as keyof BatchChanges] === value,
  );
}
