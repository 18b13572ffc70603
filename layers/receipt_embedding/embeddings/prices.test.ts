import { expect, it } from 'vitest';
import { embeddingCost } from './prices.ts';

it.each([
  ['text-embedding-3-small', 1_000_000, 0.02],
  ['text-embedding-3-large', 500_000, 0.065],
  ['text-embedding-3-small', 0, 0],
  ['text-embedding-of-tomorrow', 1_000_000, null],
])('%s costs for %d tokens: %d dollars', (model, tokens, cost) => {
  expect(embeddingCost(model, tokens)).toBe(cost);
});
