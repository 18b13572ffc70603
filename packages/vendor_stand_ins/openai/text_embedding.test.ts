import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embedText } from './text_embedding.ts';

function cosine(a: string, b: string, dimensions = 1536): number {
  const left = embedText(a, dimensions);
  const right = embedText(b, dimensions);
  return left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0);
}

const wordInput = (target: string, context: string): string =>
  `<TARGET>${target}</TARGET> <POS>bottom-left</POS> <CONTEXT>${context}</CONTEXT>`;

describe('embedText', () => {
  it('gives a vector of length 1 for any text and any dimension', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 3072 }), (text, n) => {
        const vector = embedText(text, n);
        expect(vector).toHaveLength(n);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
      }),
      { numRuns: 30 },
    );
  });

  it('gives the same text the same vector, on every machine and in every process', () => {
    const vector = embedText('Oat Milk 3.49', 6);
    expect(Array.from(vector, (value) => Number(value.toFixed(4)))).toStrictEqual([
      0.4204, -0.0133, 0.2325, -0.8619, -0.0671, 0.1472,
    ]);
  });

  it('gives no two of 6,000 short texts the same vector, also those that differ in white space alone', () => {
    const shapes = [
      (i: number) => `ITEM ${i}`,
      (i: number) => (i / 100).toFixed(2),
      (i: number) => wordInput(`ITEM ${i}`, '<EDGE> <EDGE>'),
      (i: number) => wordInput('TOTAL', `<EDGE> ${i}`),
      (i: number) => `a${' '.repeat(i)}b`,
      (i: number) => 'x'.repeat(i + 1),
    ];
    const vectors = shapes.flatMap((shape) =>
      Array.from({ length: 1000 }, (_, i) => embedText(shape(i), 64).join()),
    );
    expect(new Set(vectors).size).toBe(6000);
  });

  it('holds texts that share a word nearer than texts that share nothing', () => {
    const word = fc.stringMatching(/^[a-m]{5,9}$/);
    const unrelated = fc.stringMatching(/^[n-z]{5,9}$/);
    fc.assert(
      fc.property(word, word, unrelated, (shared, own, foreign) => {
        fc.pre(shared !== own);
        const text = `${shared} ${own}`;
        expect(cosine(text, `${shared} ${foreign}`)).toBeGreaterThan(
          cosine(text, `${foreign} ${foreign}`) + 0.15,
        );
      }),
    );
  });

  it('sees through case and through the end of a word', () => {
    expect(cosine('organic bananas', 'ORGANIC BANANA')).toBeGreaterThan(0.6);
    expect(cosine('organic bananas', 'grand total')).toBeLessThan(0.15);
  });

  it('lets the target of a word input weigh most, however long its context', () => {
    const context = 'subtotal tax visa credit card approval thanks';
    const input = wordInput('banana', context);
    expect(cosine(input, 'banana')).toBeGreaterThan(cosine(input, context));
    expect(cosine(input, 'banana')).toBeGreaterThan(cosine(input, 'bottom-left'));
    expect(cosine(input, wordInput('banana', 'milk'))).toBeGreaterThan(
      cosine(input, wordInput('milk', context)),
    );
  });
});
