import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import { BATCH_RESULT_PREFIX, batchSummaryKey } from 'receipt-embedding/entities/batch';
import {
  parseKey,
  parsePath,
  type ReceiptIdentity,
  receiptPath,
  type Row,
  rowKey,
  type RowKey,
} from 'receipt-embedding/entities/keys';
import { embeddingStatusKey } from 'receipt-embedding/entities/line_and_word';
import { BULK } from 'receipt-embedding/retry';
import { iterateSettled } from 'receipt-embedding/settled_map';
import { CLAIM_ATTRIBUTE, UPDATES_AT_ONCE } from 'receipt-embedding/table/embedding_statuses';
import {
  getRow,
  type QueryInput,
  type QueryOptions,
  queryPages,
  type Table,
} from 'receipt-embedding/table/table';

/** A line or word that failed, or was claimed and never settled, as it was read: without its text. */
export interface UnsettledEntity extends RowKey {
  readonly kind: 'line' | 'word';
  readonly status: 'FAILED' | 'PENDING';
  /** The batch that has claimed it. */
  readonly owner?: string;
  /** Neither noise nor blank. */
  readonly embeddable: boolean;
}

const ATTRIBUTES = ['PK', 'SK', 'TYPE', 'text', 'is_noise', 'embedding_status', CLAIM_ATTRIBUTE];

/** What a query must read of a row, so that a change since is noticed. */
const UNSETTLED_PROJECTION = {
  ProjectionExpression: ATTRIBUTES.map((name) => `#${name}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(ATTRIBUTES.map((name) => [`#${name}`, name])),
};

/** @returns undefined for what is no line or word, and for one that has neither failed nor is claimed. */
export function unsettledEntity(row: Row): UnsettledEntity | undefined {
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

/** Reads one row consistently. @see unsettledEntity */
async function readUnsettledEntity(
  table: Table,
  key: RowKey,
): Promise<UnsettledEntity | undefined> {
  const row = await getRow(table, key, { ConsistentRead: true, ...UNSETTLED_PROJECTION }, BULK);
  return row === undefined ? undefined : unsettledEntity(row);
}

const READING = { atOnce: UPDATES_AT_ONCE, ahead: 2 * UPDATES_AT_ONCE } as const;

/** Every line and word that has failed. The attribute is the truth: the index key of a legacy row may lag behind it. */
export async function* failedEntities(
  table: Table,
  reading?: QueryOptions,
): AsyncGenerator<UnsettledEntity> {
  const query = { ...byStatus('FAILED'), ...UNSETTLED_PROJECTION };
  for await (const entity of seenBy(table, query, reading)) {
    if (entity.status === 'FAILED') yield entity;
  }
}

/** The lines and words that are claimed by this batch. It reads all that is claimed by any. */
export async function* entitiesClaimedBy(
  table: Table,
  batchId: string,
  reading?: QueryOptions,
): AsyncGenerator<UnsettledEntity> {
  const { values, ...query } = byStatus('PENDING');
  const claimed: QueryInput = {
    ...query,
    ...UNSETTLED_PROJECTION,
    FilterExpression: `#${CLAIM_ATTRIBUTE} = :batch`,
    values: { ...values, batch: batchId },
  };
  for await (const entity of seenBy(table, claimed, reading)) {
    if (entity.status === 'PENDING') yield entity;
  }
}

/** The lines and words that failed in this batch and still have that status; each is read consistently. */
export async function* entitiesFailedIn(
  table: Table,
  batchId: string,
  reading?: QueryOptions,
): AsyncGenerator<UnsettledEntity> {
  const entities = iterateSettled(
    failedIds(table, batchId, reading),
    async (id) => {
      const image = parsePath(id)?.image_id;
      return image === undefined ? undefined : await readUnsettledEntity(table, rowKey(image, id));
    },
    READING,
  );
  for await (const entity of entities) if (entity?.status === 'FAILED') yield entity;
}

/** The lines and words of a receipt that have failed or are claimed. */
export async function* unsettledEntitiesOf(
  table: Table,
  receipt: ReceiptIdentity,
  reading?: QueryOptions,
): AsyncGenerator<UnsettledEntity> {
  for (const kind of ['LINE', 'WORD']) {
    const query: QueryInput = {
      IndexName: 'GSI3',
      KeyConditionExpression: 'GSI3PK = :receipt AND GSI3SK = :kind',
      ...UNSETTLED_PROJECTION,
      values: { receipt: receiptPath(receipt), kind },
    };
    yield* seenBy(table, query, reading);
  }
}

function byStatus(status: 'FAILED' | 'PENDING'): QueryInput {
  return {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :status',
    values: { status: embeddingStatusKey(status) },
  };
}

async function* seenBy(
  table: Table,
  query: QueryInput,
  reading?: QueryOptions,
): AsyncGenerator<UnsettledEntity> {
  for await (const { rows } of queryPages(table, query, { ...BULK, ...reading })) {
    for (const row of rows) {
      const entity = unsettledEntity(row);
      if (entity !== undefined) yield entity;
    }
  }
}

/** Consistent, unlike an index: what a batch that has just ended has brought is there. */
async function* failedIds(
  table: Table,
  batchId: string,
  reading?: QueryOptions,
): AsyncGenerator<string> {
  const pages = queryPages(
    table,
    {
      KeyConditionExpression: 'PK = :batch AND begins_with(SK, :result)',
      FilterExpression: '#status = :failed',
      ProjectionExpression: 'pinecone_id',
      ExpressionAttributeNames: { '#status': 'status' },
      ConsistentRead: true,
      values: {
        batch: batchSummaryKey(batchId).PK,
        result: BATCH_RESULT_PREFIX,
        failed: 'FAILED',
      },
    },
    { ...BULK, ...reading },
  );
  for await (const { rows } of pages) for (const row of rows) yield String(row['pinecone_id']);
}
