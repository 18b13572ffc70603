import { describe, expect, it } from 'vitest';
import { aWord, box } from '../../../tests/support/receipt_factory.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import { wordContexts } from './word_context.ts';

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
