import { describe, expect, it } from 'vitest';
import { cut, fitted, fittedValue, padded, widthOf, wrapped } from './fitting.ts';

describe('a line on a terminal', () => {
  it.each<[string, string, string[]]>([
    ['that fits', 'one two three four five', ['one two three four five']],
    [
      'of prose runs on below its beginning, no word broken',
      '  one two three four five six',
      ['  one two three four', '  five six'],
    ],
    [
      'that is a row of a table ends with …',
      '  SUCCEEDED  2025-03-01  execute-1',
      ['  SUCCEEDED  2025-03-01…'],
    ],
    [
      'that is a command stays whole',
      "  npx receipts search 'oat milk' --by-receipt",
      ["  npx receipts search 'oat milk' --by-receipt"],
    ],
    [
      'with a word longer than it leaves that whole',
      'Watch arn:aws:states:us-east-1:1:execution:a:b now',
      ['Watch', 'arn:aws:states:us-east-1:1:execution:a:b', 'now'],
    ],
    [
      'counts what letters take',
      '牛乳 牛乳 牛乳 牛乳 牛乳 牛乳',
      ['牛乳 牛乳 牛乳 牛乳 牛乳', '牛乳'],
    ],
  ])('%s', (_, text, rows) => {
    expect(fitted(text, 24)).toStrictEqual(rows);
  });

  it('is left alone without a terminal, and on one too narrow for any layout', () => {
    const text = 'one two three four five six seven';
    expect([fitted(text, undefined), fitted(text, 8)]).toStrictEqual([[text], [text]]);
  });
});

describe('a text', () => {
  it('hangs below what stands before it', () => {
    expect(wrapped('  130  stopped with Ctrl-C by hand', 28, 7)).toStrictEqual([
      '  130  stopped with Ctrl-C',
      '       by hand',
    ]);
  });

  it('behind a name runs on in its own column, unless it is a command', () => {
    expect(fittedValue('  Cause  ', 'the function did not answer', 30)).toStrictEqual([
      '  Cause  the function did not',
      '         answer',
    ]);
    expect(fittedValue('  Try  ', 'npx receipts status --stores', 30)).toHaveLength(1);
  });

  it('is cut and padded by columns, not by characters', () => {
    expect([
      widthOf('牛乳'),
      cut('牛乳屋', 4),
      padded('牛乳', 6),
      padded('ab', 4, 'start'),
    ]).toStrictEqual([4, '牛…', '牛乳  ', '  ab']);
  });
});
