import * as fc from 'fast-check';
import { countTokens as countAtOnce } from 'gpt-tokenizer/encoding/cl100k_base';
import { describe, expect, it } from 'vitest';
import { countTokens } from './token_count.ts';

const exactly = (text: string): number => countAtOnce(text, { disallowedSpecial: new Set() });

describe('countTokens', () => {
  // As OpenAI's own tokenizer counts them.
  it.each([
    ['', 0],
    ['hello', 1],
    [' hello hello', 2],
    ['TOTAL', 1],
    ['12', 1],
    ['1234567', 3],
    ['$12.99', 4],
    ['The quick brown fox', 4],
    ['antidisestablishmentarianism', 6],
    ['日本語', 4],
    ['お誕生日おめでとう', 9],
    ['tiktoken is great!', 6],
  ])('counts %j', (text, tokens) => {
    expect(countTokens(text)).toBe(tokens);
  });

  it.each(['<|endoftext|>', 'MILK <|fim_prefix|> 1.99', '<|endofprompt|>'])(
    'counts %j as plain text',
    (text) => {
      expect(countTokens(text)).toBeGreaterThan(5);
    },
  );

  it('counts at least one token for any text, half a character too, and never more than its bytes', () => {
    const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(texts, (text) => {
        expect(countTokens(text)).toBeGreaterThanOrEqual(1);
        expect(countTokens(text)).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
      { numRuns: 30, examples: [['\ud83d']] },
    );
  });
});

describe('a long text', () => {
  it('is counted exactly, wherever it is cut between words', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9$.,:'<>#*-]{1,14}$/);
    const blank = fc.constantFrom(' ', ' ', '     ', '  ', '\n', '\t ', ' \r\n ');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, blank), { minLength: 40, maxLength: 300 }), (words) => {
        const text = words.flat().join('');
        expect(countTokens(text)).toBe(exactly(text));
      }),
      { numRuns: 30 },
    );
  });

  it.each([' ', 'a', '=', '日', '🧾', '\n'])(
    'that is nothing but %j is counted nearly right',
    (sign) => {
      // The first sign puts every pair of units where it would be cut in two.
      const text = `x${sign.repeat(2_000)}`;

      const tokens = countTokens(text);

      expect(tokens).toBeGreaterThanOrEqual(exactly(text));
      // A token more for each piece.
      expect(tokens - exactly(text)).toBeLessThanOrEqual(Math.ceil(text.length / 255));
    },
  );

  it.each([
    ['a', 125_000],
    [' ', 8_000],
  ])('of a million %j takes no longer than its length', (sign, tokens) => {
    // At once this would take hours.
    expect(countTokens(sign.repeat(1_000_000)) / tokens).toBeCloseTo(1, 1);
  });
});
