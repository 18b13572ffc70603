import { pMapIterable } from 'p-map';
import { BATCH_RESULT_PREFIX } from '../entities/embedding_batch_result.ts';
import { batchSummaryKey } from '../entities/batch_summary.ts';
import { embeddingStatusKey } from '../entities/embedding_status.ts';
import { parsePath, receiptPath, rowKey, type ReceiptIdentity } from '../entities/keys.ts';
import { patientPages, type ReadingOptions } from './patient_query.ts';
import type { QueryInput } from './query.ts';
import { readSeenEntity, seenEntity, SEEN_PROJECTION, type SeenEntity } from './seen_entity.ts';
import { CLAIM_ATTRIBUTE, UPDATES_AT_ONCE } from './status_update.ts';
import type { Table } from './table.ts';

const READING = { concurrency: UPDATES_AT_ONCE, backpressure: 2 * UPDATES_AT_ONCE } as const;

/** Every line and word that has failed. The attribute is the truth: the index key of a row of old may lag behind it. */
export async function* failedEntities(
  table: Table,
  reading?: ReadingOptions,
): AsyncGenerator<SeenEntity> {
  const query = { ...byStatus('FAILED'), ...SEEN_PROJECTION };
  for await (const entity of seenBy(table, query, reading)) {
    if (entity.status === 'FAILED') yield entity;
  }
}

/** The lines and words that are claimed by this batch. It reads all that is claimed by any. */
export async function* entitiesClaimedBy(
  table: Table,
  batchId: string,
  reading?: ReadingOptions,
): AsyncGenerator<SeenEntity> {
  const { values, ...query } = byStatus('PENDING');
  const claimed: QueryInput = {
    ...query,
    ...SEEN_PROJECTION,
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
  reading?: ReadingOptions,
): AsyncGenerator<SeenEntity> {
  const entities = pMapIterable(
    failedIds(table, batchId, reading),
    async (id) => {
      const image = parsePath(id)?.image_id;
      return image === undefined ? undefined : await readSeenEntity(table, rowKey(image, id));
    },
    READING,
  );
  for await (const entity of entities) if (entity?.status === 'FAILED') yield entity;
}

/** The lines and words of a receipt that have failed or are claimed. */
export async function* unsettledEntities(
  table: Table,
  receipt: ReceiptIdentity,
  reading?: ReadingOptions,
): AsyncGenerator<SeenEntity> {
  for (const kind of ['LINE', 'WORD']) {
    const query: QueryInput = {
      IndexName: 'GSI3',
      KeyConditionExpression: 'GSI3PK = :receipt AND GSI3SK = :kind',
      ...SEEN_PROJECTION,
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
  reading?: ReadingOptions,
): AsyncGenerator<SeenEntity> {
  for await (const { rows } of patientPages(table, query, reading)) {
    for (const row of rows) {
      const entity = seenEntity(row);
      if (entity !== undefined) yield entity;
    }
  }
}

/** Consistent, unlike an index: what a batch that has just ended has brought is there. */
async function* failedIds(
  table: Table,
  batchId: string,
  reading?: ReadingOptions,
): AsyncGenerator<string> {
  const pages = patientPages(
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
    reading,
  );
  for await (const { rows } of pages) for (const row of rows) yield String(row['pinecone_id']);
}
