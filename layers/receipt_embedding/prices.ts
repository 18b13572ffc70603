import type { EmbeddingPath } from './stores/vector_store.ts';

/** What a number of units costs. */
export interface Price {
  readonly usd: number;
  readonly per: number;
  readonly unit: string;
}

/** OpenAI's page "Pricing", section "Embeddings": tokens through the Embeddings API. */
export const OPENAI_PRICES = {
  embeddings: {
    'text-embedding-3-small': { usd: 0.02, per: 1_000_000, unit: 'token' },
    'text-embedding-3-large': { usd: 0.13, per: 1_000_000, unit: 'token' },
    'text-embedding-ada-002': { usd: 0.1, per: 1_000_000, unit: 'token' },
  } as Readonly<Record<string, Price>>,
  /** What the Batch API costs of that (page "Batch API"). */
  batch_share: 0.5,
} as const;

/**
 * US dollars for so many units.
 * @example
 * ```ts
 * costOf({ usd: 0.02, per: 1_000_000, unit: 'token' }, 500_000); // 0.01
 * ```
 */
export function costOf({ usd, per }: Price, units: number): number {
  return (units * usd) / per;
}

/**
 * What OpenAI bills for tokens, in US dollars.
 *
 * @returns null for a model that the list does not have.
 * @example
 * ```ts
 * embeddingCost('text-embedding-3-small', 1_000_000, 'batch'); // 0.01
 * ```
 */
export function embeddingCost(
  model: string,
  promptTokens: number,
  path: EmbeddingPath,
): number | null {
  const price = OPENAI_PRICES.embeddings[model];
  if (price === undefined) return null;
  return costOf(price, promptTokens * (path === 'batch' ? OPENAI_PRICES.batch_share : 1));
}
