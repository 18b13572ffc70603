import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import pMap from 'p-map';
import type { RowKey } from '../entities/keys.ts';
import { type EmbeddingStatus, embeddingStatusKey } from '../entities/line_and_word.ts';
import { ConcurrentUpdate } from '../errors.ts';
import { conditionHeld, type Table, toRow } from './table.ts';

/** A line or word as it was read: its status may change only while it still is this. */
export interface StatusHolder extends RowKey {
  readonly text: string;
  readonly embedding_status: EmbeddingStatus;
}

/**
 * `changed`: set now. `unchanged`: it was so already. `deleted`: the row is gone. `edited`: its text is
 * another by now, so that what was embedded is not what it says, and its status is left to the next run.
 */
export type StatusChange = 'changed' | 'unchanged' | 'deleted' | 'edited';

/** How many rows went which way. */
export type StatusChanges = Readonly<Record<StatusChange, number>>;

const ATTEMPTS = 5;

/** Sets the embedding status of many lines and words, 25 at a time. @see setEmbeddingStatus */
export async function setEmbeddingStatuses(
  table: Table,
  holders: readonly StatusHolder[],
  status: EmbeddingStatus,
): Promise<StatusChanges> {
  const changes = { changed: 0, unchanged: 0, deleted: 0, edited: 0 };
  await pMap(
    holders,
    async (holder) => {
      changes[await setEmbeddingStatus(table, holder, status)]++;
    },
    { concurrency: UPDATES_AT_ONCE },
  );
  return changes;
}

/**
 * Sets the embedding status of one line or word, on condition that the row exists, says the same text, and has the
 * status it is changed from. When somebody else changes the status meanwhile, theirs is read and the change tried
 * again from there.
 *
 * @throws ConcurrentUpdate when the status changes under every one of 5 tries.
 */
export async function setEmbeddingStatus(
  table: Table,
  holder: StatusHolder,
  status: EmbeddingStatus,
): Promise<StatusChange> {
  let current: EmbeddingStatus = holder.embedding_status;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (current === status) return 'unchanged';
    if (await update(table, holder, current, status)) return 'changed';
    const row = await readStatus(table, holder);
    if (row === undefined) return 'deleted';
    if (row.text !== holder.text) return 'edited';
    current = row.embedding_status ?? 'NONE';
  }
  throw new ConcurrentUpdate(
    `the embedding status of ${holder.PK}#${holder.SK} changed under each of ${ATTEMPTS} tries to set it`,
  );
}

/** @returns false when the condition did not hold. */
async function update(
  table: Table,
  holder: StatusHolder,
  from: EmbeddingStatus,
  to: EmbeddingStatus,
): Promise<boolean> {
  // A row of old that has no status counts as NONE.
  const unset = from === 'NONE' ? ' OR attribute_not_exists(embedding_status)' : '';
  return await updateStatus(table, holder, {
    to,
    condition: `#text = :text AND (embedding_status = :from${unset})`,
    names: { '#text': 'text' },
    values: { ':text': holder.text, ':from': from },
  });
}

/** The attribute of a line or word that says which batch has claimed it; it is there while that claim is. */
export const CLAIM_ATTRIBUTE = 'embedding_batch_id';

/** How many rows change at once: half the connections that an AWS client keeps, so that a burst of updates starves nobody. */
export const UPDATES_AT_ONCE = 25;

/** What a line's or word's status may depend on. */
export interface StatusRow {
  readonly text: string;
  readonly embedding_status?: EmbeddingStatus;
  readonly [CLAIM_ATTRIBUTE]?: string;
}

export interface StatusUpdate {
  readonly to: EmbeddingStatus;
  /** The batch that claims the row; otherwise a claim ends with the change. */
  readonly claimedBy?: string;
  /** Beside that the row exists. */
  readonly condition: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Changes an embedding status: all that a status is made of in one update, and nothing else of the row.
 *
 * @returns false when the condition did not hold.
 */
export async function updateStatus(
  table: Table,
  { PK, SK }: RowKey,
  { to, claimedBy, condition, names, values }: StatusUpdate,
): Promise<boolean> {
  const claim =
    claimedBy === undefined ? ` REMOVE ${CLAIM_ATTRIBUTE}` : `, ${CLAIM_ATTRIBUTE} = :claim`;
  return await conditionHeld(
    table.client.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: marshall({ PK, SK }),
        UpdateExpression: `SET embedding_status = :to, GSI1PK = :key${claim}`,
        ConditionExpression: `attribute_exists(PK) AND ${condition}`,
        ...(names === undefined ? {} : { ExpressionAttributeNames: { ...names } }),
        ExpressionAttributeValues: marshall(
          { ':to': to, ':key': embeddingStatusKey(to), ':claim': claimedBy, ...values },
          { removeUndefinedValues: true },
        ),
      }),
    ),
  );
}

/** Reads it consistently. @returns undefined when the row is gone. */
export async function readStatus(table: Table, { PK, SK }: RowKey): Promise<StatusRow | undefined> {
  const { Item } = await table.client.send(
    new GetItemCommand({
      TableName: table.name,
      Key: marshall({ PK, SK }),
      ProjectionExpression: `#text, embedding_status, ${CLAIM_ATTRIBUTE}`,
      ExpressionAttributeNames: { '#text': 'text' },
      ConsistentRead: true,
    }),
  );
  return Item === undefined ? undefined : (toRow(Item) as unknown as StatusRow);
}
