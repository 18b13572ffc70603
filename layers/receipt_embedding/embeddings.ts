/** What is embedded of a receipt, and as what; nothing here speaks to OpenAI. */
export { isEmbeddable } from './embeddings/embeddable.ts';
export type { Embedder, EmbeddingModel, Embeddings } from './embeddings/embedder.ts';
export {
  embeddingItems,
  type EmbeddingItem,
  type EmbeddingItems,
  type LineItem,
  type ReceiptText,
  type WordItem,
} from './embeddings/embedding_items.ts';
export { embeddingCost } from './embeddings/prices.ts';
export { RememberingEmbedder } from './embeddings/remembering_embedder.ts';
export { contentPart, repeatedId } from './embeddings/content_id.ts';
export { contentRunId } from './embeddings/run_id.ts';
