import { centroid } from '../entities/geometry.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import { EDGE } from './edge.ts';
import { onOneVisualRow, type Placed } from './visual_row.ts';

/** The texts of a word's nearest neighbours on its visual row, `<EDGE>` where there is none. */
export interface WordContext {
  readonly left: string;
  readonly right: string;
}

interface PlacedWord extends Placed {
  readonly word: ReceiptWord;
}

/**
 * The neighbours of every word, in the order of `words`. Noise words count as neighbours.
 *
 * Sharing a visual row is no equivalence, so each word has a row of its own; it is ordered by (x, line_id, word_id), a
 * TOTAL order, because OCR often gives every word of a line the line's own box (docs/data_model.md §2).
 */
export function wordContexts(words: readonly ReceiptWord[]): WordContext[] {
  const placed = words.map((word) => ({
    word,
    bounding_box: word.bounding_box,
    center: centroid(word),
  }));
  const inOrder = placed.toSorted(byPosition);
  const positions = new Map(inOrder.map((each, position) => [each.word, position]));
  return placed.map((target) => {
    // Every word is in the map: it was made from the same list.
    const at = positions.get(target.word) ?? 0;
    return {
      left: neighbour(inOrder, target, at, -1),
      right: neighbour(inOrder, target, at, 1),
    };
  });
}

/** The nearest word in one direction that shares the target's row. */
function neighbour(
  inOrder: readonly PlacedWord[],
  target: PlacedWord,
  at: number,
  step: -1 | 1,
): string {
  for (let position = at + step; ; position += step) {
    const candidate = inOrder[position];
    if (candidate === undefined) return EDGE;
    if (onOneVisualRow(candidate, target)) return candidate.word.text;
  }
}

function byPosition(a: PlacedWord, b: PlacedWord): number {
  return (
    a.center.x - b.center.x || a.word.line_id - b.word.line_id || a.word.word_id - b.word.word_id
  );
}
