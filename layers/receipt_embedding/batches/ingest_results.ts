import { decodeVector } from '../embeddings/embedder.ts';
import {
  embeddingItems,
  type LineItem,
  type ReceiptText,
  type WordItem,
} from '../embeddings/embedding_items.ts';
import type { BatchType, EmbeddingBatchResult } from '../entities/batch.ts';
import { parsePath, type ReceiptIdentity, receiptPath, rowKey } from '../entities/keys.ts';
import type { ReceiptMetadata } from '../entities/receipt.ts';
import { knownMerchant } from '../merchants/resolve_merchant.ts';
import type { Logger } from '../ports.ts';
import { mapSettled } from '../settled_map.ts';
import type { VectorStore } from '../stores/vector_store.ts';
import {
  type ClaimOwner,
  type SettledClaim,
  settleEmbedded,
  settleRefused,
} from '../table/embedding_claims.ts';
import { UPDATES_AT_ONCE } from '../table/embedding_statuses.ts';
import type { Table } from '../table/table.ts';
import type { PartRow } from './batch_files.ts';
import { putBatchResults } from './mark_batch_complete.ts';

/**
 * Writes the vectors of a part to the store, with the metadata that their lines and words have now. Those that are gone or
 * edited are left out. @see matchResults
 *
 * @returns the number of vectors that were stored, and the rows of the part where the store has refused some: a row that it refused says
 * why, and is FAILED when the results are recorded.
 * @throws what the store throws.
 * @example
 * ```ts
 * await upsertEmbeddingsToPinecone('WORD_EMBEDDING', await storage.readPart(key), { readReceipt, store, logger });
 * // { vectors: 998, changed: undefined }
 * ```
 */
export async function upsertEmbeddingsToPinecone(
  type: BatchType,
  rows: readonly PartRow[],
  {
    readReceipt,
    store,
    logger,
  }: { readonly readReceipt: ReadReceipt; readonly store: Pick<VectorStore, 'upsert'>; readonly logger: Logger },
): Promise<{ readonly vectors: number; readonly changed: PartRow[] | undefined }> {
  const embedded = rows.filter(isEmbedded);
  const matched = await matchResults(embedded, readReceipt, logger);
  const { stored, refused } = await store.upsert(
    type === 'LINE_EMBEDDING' ? 'lines' : 'words',
    matched.map(({ row, item }) => ({
      id: item.id,
      vector: decodeVector(row.embedding),
      metadata: item.metadata,
    })),
  );
  if (refused.length === 0) return { vectors: stored, changed: undefined };
  const reasons = new Map(refused.map(({ id, reason }) => [id, reason]));
  logger.warn('the store refused records, whose lines and words become FAILED', {
    count: refused.length,
    first: refused.slice(0, KEYS_SHOWN),
  });
  return {
    vectors: stored,
    changed: rows.map((row) => {
      const reason = reasons.get(row.custom_id);
      return reason === undefined ? row : { ...row, refused: reason };
    }),
  };
}

/** A row whose vector is to be kept: neither OpenAI nor a store has refused it. */
function isEmbedded(row: PartRow): boolean {
  return row.embedding !== undefined && row.refused === undefined;
}

interface WriteResultsPorts {
  readonly table: Table;
  readonly readReceipt: ReadReceipt;
  readonly logger: Logger;
}

/**
 * Records what a batch has brought for the lines and words of a part: those that were embedded become SUCCESS, those that
 * OpenAI or a store has refused FAILED, and each gets a result row. What is gone or edited gets none: it is returned to NONE when the batch ends.
 *
 * @param owner whose the claims are.
 * @returns the number of result rows written.
 * @throws ConcurrentUpdate, RateLimited when DynamoDB leaves rows unprocessed.
 * @example
 * ```ts
 * await writeEmbeddingResultsToDynamo(batchId, batchId, await storage.readPart(key), { table, readReceipt, logger }); // 1000
 * ```
 */
export async function writeEmbeddingResultsToDynamo(
  batchId: string,
  owner: ClaimOwner,
  rows: readonly PartRow[],
  { table, readReceipt, logger }: WriteResultsPorts,
): Promise<number> {
  const matched = await matchResults(rows, readReceipt, logger);
  const results = await mapSettled(
    matched,
    async (result) => {
      const settled = await settle(table, batchId, owner, result);
      return settled === 'edited' || settled === 'deleted' ? [] : [resultOf(batchId, result)];
    },
    { atOnce: UPDATES_AT_ONCE },
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
  return isEmbedded(row)
    ? await settleEmbedded(table, key, text, batchId)
    : await settleRefused(table, key, text, owner);
}

function resultOf(batch_id: string, { row, item }: MatchedResult): EmbeddingBatchResult {
  return {
    batch_id,
    image_id: item.entity.image_id,
    pinecone_id: item.id,
    text: item.entity.text,
    status: isEmbedded(row) ? 'SUCCESS' : 'FAILED',
    error_message: row.refused ?? null,
  };
}

/** A result, and the line or word that it is of, as that is now. */
interface MatchedResult {
  readonly row: PartRow;
  readonly item: LineItem | WordItem;
}

export type ReadReceipt = (
  receipt: ReceiptIdentity,
) => Promise<ReceiptText & { readonly metadata: ReceiptMetadata | undefined }>;

/** Receipts that are read at once. */
const CONCURRENCY = 8;
/** Keys that one log line names. */
const KEYS_SHOWN = 20;

/**
 * Brings results together with their lines and words. What is gone, has become noise, or says something else than what was
 * embedded is left out and logged.
 */
export async function matchResults(
  rows: readonly PartRow[],
  readReceipt: ReadReceipt,
  logger: Logger,
): Promise<MatchedResult[]> {
  const receipts = Map.groupBy(rows, ({ custom_id }) => pathOfReceipt(custom_id));
  const matched = await mapSettled(
    receipts.values(),
    async (ofReceipt) => {
      const items = await itemsOf(ofReceipt[0]?.custom_id ?? '', readReceipt);
      return ofReceipt.flatMap((row) => {
        const item = items.get(row.custom_id);
        const edited = row.text !== undefined && item?.entity.text !== row.text;
        return item === undefined || edited ? [] : [{ row, item }];
      });
    },
    { atOnce: CONCURRENCY },
  );
  const kept = matched.flat();
  if (kept.length < rows.length) {
    const ids = new Set(kept.map(({ row }) => row.custom_id));
    const left = rows.map(({ custom_id }) => custom_id).filter((id) => !ids.has(id));
    logger.warn('results are of lines or words that are gone or edited, and are left out', {
      count: left.length,
      first_keys: left.slice(0, KEYS_SHOWN),
    });
  }
  return kept;
}

async function itemsOf(
  customId: string,
  readReceipt: ReadReceipt,
): Promise<Map<string, LineItem | WordItem>> {
  const receipt = parsePath(customId);
  if (receipt === undefined) return new Map();
  const { image_id, receipt_id } = receipt;
  const contents = await readReceipt({ image_id, receipt_id });
  const { lines, words } = embeddingItems(contents, knownMerchant(contents.metadata), 'batch');
  return new Map([...lines, ...words].map((item) => [item.id, item]));
}

function pathOfReceipt(customId: string): string {
  const receipt = parsePath(customId);
  return receipt === undefined ? '' : receiptPath(receipt);
}
