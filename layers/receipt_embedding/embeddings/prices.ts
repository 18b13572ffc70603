import type { EmbeddingPath } from '../vectors/vector_metadata.ts';

/** OpenAI's list prices, US dollars for a million tokens through the Embeddings API. */
export const PRICES = {
  as_of: '2026-11-01',
  embeddings_per_million_tokens: {
    'text-embedding-3-small': 0.02,
    'text-embedding-3-large': 0.13,
    'text-embedding-ada-002': 0.1,
  } as Readonly<Record<string, number>>,
  /** What the Batch API costs of that. */
  batch_share: 0.5,
} as const;

/** @returns null for a model that the list does not have. */
export function embeddingCost(
  model: string,
  promptTokens: number,
  path: EmbeddingPath,
): number | null {
  const price = PRICES.embeddings_per_million_tokens[model];
  if (price === undefined) return null;
  return (promptTokens * price * (path === 'batch' ? PRICES.batch_share : 1)) / 1_000_000;
}
