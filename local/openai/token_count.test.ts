import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens } from './token_count.ts';

describe('countTokens', () => {
  it.each([
    ['', 0],
    ['hello', 1],
    [' hello hello', 2],
    ['TOTAL', 2],
    ['12', 1],
    ['1234567', 3],
    ['$12.99', 4],
    ['The quick brown fox', 4],
    ['extraordinarily', 3],
    [' '.repeat(17), 2],
    ['日本語', 3],
  ])('counts %j', (text, tokens) => {
    expect(countTokens(text)).toBe(tokens);
  });

  it('counts at least one token for any text, and never more than its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        expect(countTokens(text)).toBeGreaterThanOrEqual(1);
        expect(countTokens(text)).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
    );
  });

  it('counts a text with a word more as longer', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(countTokens(`${text} word`)).toBeGreaterThan(countTokens(text.trimEnd()));
      }),
    );
  });
});
