import { z } from 'zod';
import {
  BATCH_RESULT_PREFIX,
  embeddingBatchResultCodec,
  type EmbeddingBatchResult,
} from '../entities/embedding_batch_result.ts';
import { batchSummaryKey } from '../entities/batch_summary.ts';
import { putRows } from './batch_write.ts';
import { queryPages } from './query.ts';
import type { Table } from './table.ts';

/** Writes results, over what an earlier try has written. @returns the number of rows, which is all of them. */
export async function putBatchResults(
  table: Table,
  results: readonly EmbeddingBatchResult[],
): Promise<number> {
  return await putRows(
    table,
    results.map((result) => z.encode(embeddingBatchResultCodec, result)),
  );
}

/** What is recorded of a batch's lines and words: their statuses, by vector id; read consistently. */
export async function readBatchResults(
  table: Table,
  batchId: string,
): Promise<Map<string, EmbeddingBatchResult['status']>> {
  const statuses = new Map<string, EmbeddingBatchResult['status']>();
  const pages = queryPages(table, {
    KeyConditionExpression: 'PK = :batch AND begins_with(SK, :result)',
    ProjectionExpression: 'pinecone_id, #status',
    ExpressionAttributeNames: { '#status': 'status' },
    ConsistentRead: true,
    values: { batch: batchSummaryKey(batchId).PK, result: BATCH_RESULT_PREFIX },
  });
  for await (const rows of pages) {
    for (const row of rows) {
      statuses.set(String(row['pinecone_id']), row['status'] as EmbeddingBatchResult['status']);
    }
  }
  return statuses;
}
