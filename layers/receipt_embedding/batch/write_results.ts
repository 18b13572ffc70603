import pMap from 'p-map';
import { putBatchResults } from '../dynamodb/batch_results.ts';
import {
  settleEmbedded,
  settleRefused,
  type ClaimOwner,
  type SettledClaim,
} from '../dynamodb/embedding_claims.ts';
import { UPDATES_AT_ONCE } from '../dynamodb/status_update.ts';
import type { Table } from '../dynamodb/table.ts';
import type { EmbeddingBatchResult } from '../entities/embedding_batch_result.ts';
import { rowKey } from '../entities/keys.ts';
import type { Logger } from '../ports/logger.ts';
import { matchResults, type MatchedResult, type ReadReceipt } from './match_results.ts';
import type { PartRow } from './part_row.ts';

export interface WriteResultsPorts {
  readonly table: Table;
  readonly readReceipt: ReadReceipt;
  readonly logger: Logger;
}

/**
 * Records what a batch has brought for the lines and words of a part: those that were embedded become SUCCESS, those whose
 * input was refused FAILED, and each gets a result row. What is gone or edited gets none: it is given back when the batch ends.
 *
 * @param owner whose the claims are.
 * @returns the number of result rows written.
 * @throws ConcurrentUpdate, RateLimited when DynamoDB leaves rows unprocessed.
 */
export async function writeEmbeddingResultsToDynamo(
  batchId: string,
  owner: ClaimOwner,
  rows: readonly PartRow[],
  { table, readReceipt, logger }: WriteResultsPorts,
): Promise<number> {
  const matched = await matchResults(rows, readReceipt, logger);
  const results = await pMap(
    matched,
    async (result) => {
      const settled = await settle(table, batchId, owner, result);
      return settled === 'edited' || settled === 'deleted' ? [] : [resultOf(batchId, result)];
    },
    { concurrency: UPDATES_AT_ONCE },
  );
  return await putBatchResults(table, results.flat());
}

async function settle(
  table: Table,
  batchId: string,
  owner: ClaimOwner,
  { row, item }: MatchedResult,
): Promise<SettledClaim> {
  const { image_id, text } = item.entity;
  const key = rowKey(image_id, item.id);
  return row.embedding === undefined
    ? await settleRefused(table, key, text, owner)
    : await settleEmbedded(table, key, text, batchId);
}

function resultOf(batch_id: string, { row, item }: MatchedResult): EmbeddingBatchResult {
  return {
    batch_id,
    image_id: item.entity.image_id,
    pinecone_id: item.id,
    text: item.entity.text,
    status: row.embedding === undefined ? 'FAILED' : 'SUCCESS',
    error_message: row.refused ?? null,
  };
}
