import { expect, it } from 'vitest';
import { embeddingCost } from './prices.ts';

it.each([
  ['text-embedding-3-small', 1_000_000, 'realtime', 0.02],
  ['text-embedding-3-small', 1_000_000, 'batch', 0.01],
  ['text-embedding-3-large', 500_000, 'realtime', 0.065],
  ['text-embedding-3-small', 0, 'batch', 0],
  ['text-embedding-of-tomorrow', 1_000_000, 'realtime', null],
] as const)('%s costs for %d tokens, %s: %d dollars', (model, tokens, path, cost) => {
  expect(embeddingCost(model, tokens, path)).toBe(cost);
});
