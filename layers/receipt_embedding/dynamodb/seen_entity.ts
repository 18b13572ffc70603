import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { isEmbeddable } from '../embeddings/embeddable.ts';
import { parseKey, type RowKey } from '../entities/keys.ts';
import type { Row } from '../entities/row.ts';
import { whileThrottled } from './backoff.ts';
import { toRow } from './rows.ts';
import { CLAIM_ATTRIBUTE } from './status_update.ts';
import type { Table } from './table.ts';

/** A line or word that failed, or was claimed and never settled, as it was seen: without its text. */
export interface SeenEntity extends RowKey {
  readonly kind: 'line' | 'word';
  readonly status: 'FAILED' | 'PENDING';
  /** The batch that has claimed it. */
  readonly owner?: string;
  /** Neither noise nor blank. */
  readonly embeddable: boolean;
}

const ATTRIBUTES = ['PK', 'SK', 'TYPE', 'text', 'is_noise', 'embedding_status', CLAIM_ATTRIBUTE];

/** What a query must read of a row, so that it is known how it was seen. */
export const SEEN_PROJECTION = {
  ProjectionExpression: ATTRIBUTES.map((name) => `#${name}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(ATTRIBUTES.map((name) => [`#${name}`, name])),
};

/** @returns undefined for what is no line or word, and for one that has neither failed nor is claimed. */
export function seenEntity(row: Row): SeenEntity | undefined {
  const { PK, SK, TYPE, text, is_noise, embedding_status: status } = row;
  const owner = row[CLAIM_ATTRIBUTE];
  if (TYPE !== 'RECEIPT_LINE' && TYPE !== 'RECEIPT_WORD') return undefined;
  if (status !== 'FAILED' && status !== 'PENDING') return undefined;
  if (parseKey({ PK, SK })?.line_id === undefined) return undefined;
  return {
    PK,
    SK,
    kind: TYPE === 'RECEIPT_LINE' ? 'line' : 'word',
    status,
    ...(typeof owner === 'string' ? { owner } : {}),
    embeddable: isEmbeddable({
      text: typeof text === 'string' ? text : '',
      is_noise: is_noise === true,
      embedding_status: status,
    }),
  };
}

/** Reads one row consistently. @see seenEntity */
export async function readSeenEntity(
  table: Table,
  { PK, SK }: RowKey,
): Promise<SeenEntity | undefined> {
  const { Item } = await whileThrottled(() =>
    table.client.send(
      new GetItemCommand({
        TableName: table.name,
        Key: marshall({ PK, SK }),
        ConsistentRead: true,
        ...SEEN_PROJECTION,
      }),
    ),
  );
  return Item === undefined ? undefined : seenEntity(toRow(Item));
}
