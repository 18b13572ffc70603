import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { embeddingStatusKey, type EmbeddingStatus } from '../entities/embedding_status.ts';
import type { RowKey } from '../entities/keys.ts';
import { conditionHeld } from './conditional_write.ts';
import { toRow } from './rows.ts';
import type { Table } from './table.ts';

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
