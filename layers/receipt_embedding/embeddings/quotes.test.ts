import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoted } from './quotes.ts';

const graphemesOf = (text: string): string[] =>
  Array.from(new Intl.Segmenter('en').segment(text), ({ segment }) => segment);

describe('a quoted text', () => {
  it.each([
    ['MILK', 4, 'MILK'],
    ['MILKY', 4, 'MIL…'],
    ['', 1, ''],
    ['MILK', 1, '…'],
    // One flag of four code units, a letter with its accent, a family of eleven.
    ['AB🇩🇪CD', 6, 'AB…'],
    ['AB🇩🇪CDE', 7, 'AB🇩🇪…'],
    ['e\u0301e\u0301e\u0301', 4, 'e\u0301…'],
    ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 12, '👨‍👩‍👧‍👦…'],
    [`e${'\u0301'.repeat(600)}`, 500, '…'],
  ])('%j of at most %i characters is %j', (text, most, expected) => {
    expect(quoted(text, most)).toBe(expected);
  });

  it('is as long as it may be, and ends where a grapheme of the whole text ends', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', '\u0301', '👍', '🏽', '\u200d', '🇩', '\ud83d'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 12 }), (whole, most) => {
        let expected = '';
        for (const grapheme of graphemesOf(whole)) {
          if (expected.length + grapheme.length > most - 1) break;
          expected += grapheme;
        }
        expect(quoted(whole, most)).toBe(whole.length <= most ? whole : `${expected}…`);
      }),
      { numRuns: 1_000 },
    );
  });
});
