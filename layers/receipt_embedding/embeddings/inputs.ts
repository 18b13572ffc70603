import type { ReceiptLine, ReceiptWord } from '../entities/line_and_word.ts';
import { centroid } from '../entities/receipt.ts';
import { nearestBefore, onOneVisualRow, type Placed } from './visual_rows.ts';

/** What OpenAI gets for a line: its text as it is. */
export function lineInput(line: ReceiptLine): string {
  return line.text;
}

/**
 * What OpenAI gets for a word (docs/data_model.md §2). The users' queries are made in the same form.
 * @example
 * ```ts
 * wordInput(word, { left: 'WHOLE', right: '3.99' });
 * // '<TARGET>MILK</TARGET> <POS>top-left</POS> <CONTEXT>WHOLE 3.99</CONTEXT>'
 * ```
 */
export function wordInput(word: ReceiptWord, context: WordContext): string {
  return inputOfWord(word.text, position(word), context);
}

/** Where a word is on its receipt, in thirds of its height and width. */
export type WordPosition = `${'top' | 'middle' | 'bottom'}-${'left' | 'center' | 'right'}`;

/** The form of a word's input, also for a question for words. */
export function inputOfWord(
  text: string,
  position: WordPosition,
  { left, right }: WordContext,
): string {
  return `<TARGET>${text}</TARGET> <POS>${position}</POS> <CONTEXT>${left} ${right}</CONTEXT>`;
}

function position(word: ReceiptWord): WordPosition {
  const { x, y } = centroid(word);
  const vertical = y > 0.66 ? 'top' : y > 0.33 ? 'middle' : 'bottom';
  const horizontal = x < 0.33 ? 'left' : x < 0.66 ? 'center' : 'right';
  return `${vertical}-${horizontal}`;
}

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
  const reversed = inOrder.toReversed();
  const left = nearestBefore(inOrder);
  const right = nearestBefore(reversed).reverse();
  const textAt = (of: readonly PlacedWord[], at: number | undefined): string =>
    of[at ?? -1]?.word.text ?? EDGE;
  const contexts = new Map(
    inOrder.map(({ word }, at) => [
      word,
      { left: textAt(inOrder, left[at]), right: textAt(reversed, right[at]) },
    ]),
  );
  // Every word is in the map: it was made from the same list.
  return words.map((word) => contexts.get(word) ?? { left: EDGE, right: EDGE });
}

function byPosition(a: PlacedWord, b: PlacedWord): number {
  return (
    a.center.x - b.center.x || a.word.line_id - b.word.line_id || a.word.word_id - b.word.word_id
  );
}

interface PlacedLine extends Placed {
  readonly line: ReceiptLine;
}

/**
 * Lines as a person reads them: rows from the top down (y grows upward), each from left to right. A
 * line joins the row of the lines above it when it shares a visual row with the first of them, as a price
 * does with its item. Ties go by line_id, so the order is total.
 */
export function inReadingOrder(lines: readonly ReceiptLine[]): ReceiptLine[] {
  const fromTop = lines
    .map((line) => ({
      line,
      bounding_box: line.bounding_box,
      center: centroid(line),
    }))
    .sort((a, b) => b.center.y - a.center.y || a.line.line_id - b.line.line_id);
  const rows: PlacedLine[][] = [];
  for (const placed of fromTop) {
    const row = rows.at(-1);
    const first = row?.[0];
    if (row !== undefined && first !== undefined && onOneVisualRow(first, placed)) row.push(placed);
    else rows.push([placed]);
  }
  return rows.flatMap((row) =>
    row
      .sort((a, b) => a.center.x - b.center.x || a.line.line_id - b.line.line_id)
      .map(({ line }) => line),
  );
}

/** Stands where there is no neighbour: in inputs and in metadata alike. */
export const EDGE = '<EDGE>';
