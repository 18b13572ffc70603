import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonTooDeep, MAX_JSON_DEPTH, parseJson } from './json_text.ts';

const nested = (levels: number, inside = ''): string =>
  '[{"a":'.repeat(levels / 2) + (inside || '1') + '}]'.repeat(levels / 2);

describe('JSON from outside', () => {
  it('may have so many levels, and no more', () => {
    expect(JSON.stringify(parseJson(nested(MAX_JSON_DEPTH)))).toBe(nested(MAX_JSON_DEPTH));
    for (const levels of [MAX_JSON_DEPTH + 2, 5_000, 1_000_000]) {
      expect(() => parseJson(nested(levels))).toThrow(JsonTooDeep);
    }
  });

  it.each([
    ['brackets in a string', '[{'.repeat(300)],
    ['a quote in a string', `\\"${'[{'.repeat(300)}`],
    ['a backslash at the end of a string', `${'[{'.repeat(300)}\\\\`],
  ])('may have %s, which are no levels', (_, text) => {
    expect(parseJson(`["${text}","${text}"]`)).toHaveLength(2);
  });

  it('has levels behind a string that ends with backslashes', () => {
    expect(() => parseJson(`["\\\\\\\\",${nested(300)}]`)).toThrow(JsonTooDeep);
  });

  it('beside one another is not deep', () => {
    expect(parseJson(`[${Array(1_000).fill('[[]]').join(',')}]`)).toHaveLength(1_000);
  });

  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toStrictEqual(JSON.parse(text));
      }),
    );
  });

  it('that is none is a SyntaxError', () => {
    for (const text of ['', '{', `"${'x'.repeat(500)}`, ']'.repeat(500)]) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });
});
