import { decodeVector } from '../embeddings/decode_vector.ts';
import type { BatchType } from '../entities/batch_summary.ts';
import type { Logger } from '../ports/logger.ts';
import type { VectorStore } from '../vectors/vector_store.ts';
import { matchResults, type ReadReceipt } from './match_results.ts';
import type { PartRow } from './part_row.ts';

/**
 * Writes the vectors of a part to the store, with the metadata that their lines and words have now. Those that are gone or
 * edited are left out. @see matchResults
 *
 * @returns the number of vectors upserted.
 * @throws what the store throws.
 */
export async function upsertEmbeddingsToPinecone(
  type: BatchType,
  rows: readonly PartRow[],
  {
    readReceipt,
    store,
    logger,
  }: { readonly readReceipt: ReadReceipt; readonly store: VectorStore; readonly logger: Logger },
): Promise<number> {
  const embedded = rows.filter(({ embedding }) => embedding !== undefined);
  const matched = await matchResults(embedded, readReceipt, logger);
  return await store.upsert(
    type === 'LINE_EMBEDDING' ? 'lines' : 'words',
    matched.map(({ row, item }) => ({
      id: item.id,
      vector: decodeVector(row.embedding),
      metadata: item.metadata,
    })),
  );
}
