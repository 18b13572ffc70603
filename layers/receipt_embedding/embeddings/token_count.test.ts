import fc from 'fast-check';
import { countTokens as countAtOnce } from 'gpt-tokenizer/encoding/cl100k_base';
import { describe, expect, it } from 'vitest';
import { countTokens } from './token_count.ts';

describe('the tokens of a text', () => {
  it.each([
    ['', 0],
    ['MILK', 3],
    ['hello world', 2],
    ['<|endoftext|>', 7],
  ])('of %j are %d', (text, tokens) => {
    expect(countTokens(text)).toBe(tokens);
  });

  it('are exact where a blank comes within every 256 characters', () => {
    const words = fc.array(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), {
      minLength: 20,
      maxLength: 60,
    });
    fc.assert(
      fc.property(words, (all) => {
        const text = all.map((word) => word.replaceAll(/\s/g, 'x')).join(' ');

        expect(countTokens(text)).toBe(countAtOnce(text, { disallowedSpecial: new Set() }));
      }),
      { numRuns: 50 },
    );
  });

  it.each(['x', '=', '寿', '🧾', ' '])('of a long run of %j are counted in linear time', (sign) => {
    const tokens = countTokens(sign.repeat(50_000));

    expect(tokens).toBeGreaterThan(0);
    expect(tokens).toBeLessThanOrEqual(Buffer.byteLength(sign) * 50_000);
  });
});
