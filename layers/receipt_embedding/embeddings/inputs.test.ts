import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aLine, aWord, box } from '../../../tests/support/receipt_factory.ts';
import type { ReceiptWord } from '../entities/line_and_word.ts';
import { centroid } from '../entities/receipt.ts';
import { inReadingOrder, lineInput, type WordContext, wordContexts, wordInput } from './inputs.ts';
import { onOneVisualRow, type Placed } from './visual_rows.ts';

const context = { left: 'WHOLE', right: '3.99' };

describe('the input of a line', () => {
  it('is its text as it is', () => {
    expect(lineInput(aLine({ text: '  TOTAL  12.50 ' }))).toBe('  TOTAL  12.50 ');
  });
});

describe('the input of a word', () => {
  it('names the word, its place and its neighbours', () => {
    const word = aWord({ text: 'MILK', ...box(0.4, 0.4, 0.1, 0.02) });

    expect(wordInput(word, context)).toBe(
      '<TARGET>MILK</TARGET> <POS>middle-center</POS> <CONTEXT>WHOLE 3.99</CONTEXT>',
    );
  });

  it.each([
    [0.1, 0.9, 'top-left'],
    [0.5, 0.9, 'top-center'],
    [0.9, 0.9, 'top-right'],
    [0.1, 0.5, 'middle-left'],
    [0.5, 0.5, 'middle-center'],
    [0.9, 0.5, 'middle-right'],
    [0.1, 0.1, 'bottom-left'],
    [0.5, 0.1, 'bottom-center'],
    [0.9, 0.1, 'bottom-right'],
    // A boundary belongs to the lower row and to the column on its right.
    [0.33, 0.66, 'middle-center'],
    [0.66, 0.33, 'bottom-right'],
    [0.329999, 0.660001, 'top-left'],
    [0.659999, 0.330001, 'middle-center'],
    [-0.02, -0.01, 'bottom-left'],
    [1.01, 1.01, 'top-right'],
  ])('with its centroid at x %d, y %d is at %s', (x, y, position) => {
    const word = aWord(box(x, y, 0, 0));

    expect(centroid(word)).toStrictEqual({ x, y });
    expect(wordInput(word, context)).toContain(`<POS>${position}</POS>`);
  });
});

/** Neighbours as `left < word > right`, in the order of the words. */
function contexts(words: readonly ReceiptWord[]): string[] {
  return wordContexts(words).map(
    ({ left, right }, at) => `${left} < ${words[at]?.text ?? ''} > ${right}`,
  );
}

describe('the neighbours of a word', () => {
  it('are the nearest to its left and right, and <EDGE> at the ends of the row', () => {
    const words = [
      aWord({ word_id: 1, text: 'WHOLE', ...box(0.1, 0.5, 0.1, 0.02) }),
      aWord({ word_id: 2, text: 'MILK', ...box(0.3, 0.5, 0.1, 0.02) }),
      aWord({ word_id: 3, text: '3.99', ...box(0.8, 0.5, 0.1, 0.02) }),
    ];

    expect(contexts(words)).toStrictEqual([
      '<EDGE> < WHOLE > MILK',
      'WHOLE < MILK > 3.99',
      'MILK < 3.99 > <EDGE>',
    ]);
  });

  it('are <EDGE> on both sides for a word that is alone', () => {
    expect(contexts([aWord({ text: 'TOTAL' })])).toStrictEqual(['<EDGE> < TOTAL > <EDGE>']);
    expect(wordContexts([])).toStrictEqual([]);
  });

  it('are of its visual row only, though words of other rows lie nearer', () => {
    const words = [
      aWord({ line_id: 1, text: 'MILK', ...box(0.1, 0.5, 0.1, 0.02) }),
      aWord({ line_id: 2, text: 'BREAD', ...box(0.2, 0.4, 0.1, 0.02) }),
      aWord({ line_id: 3, text: '3.99', ...box(0.8, 0.505, 0.1, 0.02) }),
    ];

    expect(contexts(words)).toStrictEqual([
      '<EDGE> < MILK > 3.99',
      '<EDGE> < BREAD > <EDGE>',
      'MILK < 3.99 > <EDGE>',
    ]);
  });

  it('go by line_id and word_id where words share one box', () => {
    const shared = box(0.1, 0.5, 0.8, 0.02);
    const words = [
      aWord({ line_id: 2, word_id: 1, text: 'C', ...shared }),
      aWord({ line_id: 1, word_id: 10, text: 'B', ...shared }),
      aWord({ line_id: 1, word_id: 2, text: 'A', ...shared }),
    ];

    expect(contexts(words)).toStrictEqual(['B < C > <EDGE>', 'A < B > C', '<EDGE> < A > B']);
  });

  it('may be noise', () => {
    const words = [
      aWord({ word_id: 1, text: '~~', is_noise: true, ...box(0.1, 0.5, 0.1, 0.02) }),
      aWord({ word_id: 2, text: 'MILK', ...box(0.3, 0.5, 0.1, 0.02) }),
    ];

    expect(contexts(words)).toStrictEqual(['<EDGE> < ~~ > MILK', '~~ < MILK > <EDGE>']);
  });

  it('differ by the word where a tall word touches two rows', () => {
    const words = [
      aWord({ word_id: 1, text: 'UPPER', ...box(0.1, 0.55, 0.1, 0.03) }),
      aWord({ word_id: 2, text: 'LOWER', ...box(0.2, 0.45, 0.1, 0.03) }),
      aWord({ word_id: 3, text: 'TALL', ...box(0.5, 0.44, 0.1, 0.15) }),
    ];

    expect(contexts(words)).toStrictEqual([
      '<EDGE> < UPPER > TALL',
      '<EDGE> < LOWER > TALL',
      'LOWER < TALL > <EDGE>',
    ]);
  });
});

/** The nearest word on a row, looked for one by one: what the neighbours are by definition, and the square of their number in time. */
function contextsOneByOne(words: readonly ReceiptWord[]): WordContext[] {
  const where = (word: ReceiptWord) => ({
    bounding_box: word.bounding_box,
    center: centroid(word),
  });
  const inOrder = words.toSorted(
    (a, b) => centroid(a).x - centroid(b).x || a.line_id - b.line_id || a.word_id - b.word_id,
  );
  return words.map((word) => {
    const shares = (other: ReceiptWord) => onOneVisualRow(where(other), where(word));
    const at = inOrder.indexOf(word);
    return {
      left: inOrder.slice(0, at).findLast(shares)?.text ?? '<EDGE>',
      right: inOrder.slice(at + 1).find(shares)?.text ?? '<EDGE>',
    };
  });
}

describe('the neighbours of many words', () => {
  const few = fc.constantFrom(0, 0.1, 0.11, 0.2, 0.25, 0.5, -0.02);
  const any = fc.double({ min: -0.1, max: 1.1, noNaN: true });
  const height = fc.constantFrom(0, 0.01, 0.02, 0.1, 0.3, 1, -0.1);
  const geometry = fc.oneof(
    fc.record({ x: few, y: few, height }),
    fc.record({ x: any, y: any, height: fc.oneof(height, any) }),
    // A column, a row, a heap.
    fc.record({ x: fc.constant(0.5), y: any, height: fc.constant(0.001) }),
    fc.record({ x: any, y: fc.constant(0.5), height: fc.constant(0.02) }),
    fc.constant({ x: 0.1, y: 0.5, height: 0.02 }),
  );
  const turned = fc
    .tuple(geometry, fc.double({ min: -0.05, max: 0.05, noNaN: true }))
    .map(([{ x, y, height }, tilt]) => {
      const upright = box(x, y, 0.1, height);
      // A turned word's centroid may lie outside of what its box says.
      return { ...upright, top_right: { x: x + 0.1, y: y + height + 4 * tilt } };
    });
  const words = fc
    .array(
      fc.oneof(
        turned,
        geometry.map(({ x, y, height }) => box(x, y, 0.1, height)),
      ),
      {
        maxLength: 60,
      },
    )
    .map((places) =>
      places.map((place, at) =>
        aWord({ line_id: 1 + (at % 7), word_id: at + 1, text: `word ${at}`, ...place }),
      ),
    );

  it('are those that looking at them one by one finds, whatever their geometry', () => {
    fc.assert(
      fc.property(words, (of) => {
        expect(wordContexts(of)).toStrictEqual(contextsOneByOne(of));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['each on a row of its own', (at: number) => box(0.5, at / 2_000, 0.1, 0.0001)],
    ['all on one row', (at: number) => box(at / 2_000, 0.5, 0.0004, 0.02)],
    ['all in one place', () => box(0.1, 0.5, 0.2, 0.02)],
    ['in a grid', (at: number) => box((at % 45) / 45, Math.floor(at / 45) / 45, 0.02, 0.01)],
  ])('are found by looking at each a few times, not at each for each: %s', (_, place) => {
    let looks = 0;
    const counted = Array.from({ length: 2_000 }, (_, at) => {
      const { bounding_box, ...corners } = place(at);
      const watched = new Proxy(bounding_box, {
        get: (target, name) => {
          looks += 1;
          return Reflect.get(target, name) as unknown;
        },
      });
      return aWord({ word_id: at + 1, ...corners, bounding_box: watched });
    });

    wordContexts(counted);

    expect(looks / counted.length).toBeLessThan(20);
  });
});

function placed(y: number, height: number): Placed {
  const placement = box(0, y, 0.25, height);
  return { bounding_box: placement.bounding_box, center: centroid(placement) };
}

describe('two boxes', () => {
  it.each([
    ['of the same height side by side', placed(0.5, 0.25), placed(0.5, 0.25), true],
    ['a little shifted', placed(0.5, 0.25), placed(0.5625, 0.25), true],
    [
      'of which the small one lies inside the tall one, far from its middle',
      placed(0, 1),
      placed(0.875, 0.0625),
      true,
    ],
    [
      'of which one has its centroid on the other’s top',
      placed(0.5, 0.5),
      placed(0.9375, 0.125),
      true,
    ],
    [
      'of which one has its centroid on the other’s bottom',
      placed(0.5, 0.5),
      placed(0.4375, 0.125),
      true,
    ],
    ['that overlap by less than half', placed(0.5, 0.25), placed(0.6875, 0.25), false],
    ['one above the other', placed(0.5, 0.125), placed(0.75, 0.125), false],
  ])('%s share a visual row or not, whichever is asked about', (_, a, b, shared) => {
    expect([onOneVisualRow(a, b), onOneVisualRow(b, a)]).toStrictEqual([shared, shared]);
  });
});

const texts = (lines: readonly { readonly text: string }[]): string[] =>
  lines.map(({ text }) => text);

describe('the reading order of lines', () => {
  it('goes from the top (the greatest y) down, whatever the line ids say', () => {
    const lines = [
      aLine({ line_id: 1, text: 'bottom', ...box(0.1, 0.1, 0.5, 0.02) }),
      aLine({ line_id: 2, text: 'top', ...box(0.1, 0.9, 0.5, 0.02) }),
      aLine({ line_id: 3, text: 'middle', ...box(0.1, 0.5, 0.5, 0.02) }),
    ];

    expect(texts(inReadingOrder(lines))).toStrictEqual(['top', 'middle', 'bottom']);
  });

  it('goes from left to right within a visual row, also where the right one lies a little higher', () => {
    const lines = [
      aLine({ line_id: 1, text: '3.99', ...box(0.8, 0.505, 0.1, 0.02) }),
      aLine({ line_id: 2, text: 'MILK', ...box(0.1, 0.5, 0.3, 0.02) }),
      aLine({ line_id: 3, text: 'BREAD', ...box(0.1, 0.46, 0.3, 0.02) }),
    ];

    expect(texts(inReadingOrder(lines))).toStrictEqual(['MILK', '3.99', 'BREAD']);
  });

  it('goes by line_id where lines lie in one place', () => {
    const lines = [3, 1, 2].map((line_id) => aLine({ line_id, text: `line ${line_id}` }));

    expect(texts(inReadingOrder(lines))).toStrictEqual(['line 1', 'line 2', 'line 3']);
  });
});
