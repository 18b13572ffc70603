import { costOf, embeddingCost, OPENAI_PRICES } from 'receipt-embedding/prices';
import { describe, expect, it } from 'vitest';
import { AWS_PRICES, PINECONE_PRICES, PRICES_AS_OF } from './price_list.ts';

describe('what an embedding costs', () => {
  it.each([
    ['text-embedding-3-small', 1_000_000, 'realtime', 0.02],
    ['text-embedding-3-small', 1_000_000, 'batch', 0.01],
    ['text-embedding-3-large', 500_000, 'realtime', 0.065],
    ['text-embedding-3-small', 0, 'batch', 0],
    ['text-embedding-of-tomorrow', 1_000_000, 'realtime', null],
  ] as const)('%s for %d tokens, %s: %d dollars', (model, tokens, path, cost) => {
    expect(embeddingCost(model, tokens, path)).toBe(cost);
  });
});

describe('the price list', () => {
  it.each([
    ['a million writes', AWS_PRICES.dynamodb_write_unit, 1_000_000, 0.625],
    ['a thousand transitions', AWS_PRICES.step_functions_transition, 1_000, 0.025],
    ['a million invocations', AWS_PRICES.lambda_request, 1_000_000, 0.2],
    ['1 GB for a day', AWS_PRICES.lambda_gb_second, 86_400, 1.152],
    ['half a GB of logs', AWS_PRICES.cloudwatch_logs_gb, 0.5, 0.25],
    ['a million writes to Pinecone', PINECONE_PRICES.write_unit, 1_000_000, 4],
  ])('has %s', (_, price, units, usd) => {
    expect(costOf(price, units)).toBeCloseTo(usd, 3);
  });

  it('has a date, and of every price how many of which unit it is for', () => {
    expect(new Date(PRICES_AS_OF).toISOString()).toBe(`${PRICES_AS_OF}T00:00:00.000Z`);
    for (const { usd, per, unit } of [
      ...Object.values(OPENAI_PRICES.embeddings),
      ...Object.values(AWS_PRICES),
      ...Object.values(PINECONE_PRICES),
    ]) {
      expect(usd).toBeGreaterThan(0);
      expect(per).toBeGreaterThan(0);
      expect(unit).not.toBe('');
    }
  });
});
