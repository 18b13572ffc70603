import { centroid } from '../entities/geometry.ts';
import type { ReceiptLine } from '../entities/receipt_line.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import type { WordContext } from './word_context.ts';

/** What OpenAI gets for a line: its text as it is. */
export function lineInput(line: ReceiptLine): string {
  return line.text;
}

/** What OpenAI gets for a word (docs/data_model.md §2). The users' queries are made in the same form. */
export function wordInput(word: ReceiptWord, { left, right }: WordContext): string {
  return `<TARGET>${word.text}</TARGET> <POS>${position(word)}</POS> <CONTEXT>${left} ${right}</CONTEXT>`;
}

function position(word: ReceiptWord): string {
  const { x, y } = centroid(word);
  const vertical = y > 0.66 ? 'top' : y > 0.33 ? 'middle' : 'bottom';
  const horizontal = x < 0.33 ? 'left' : x < 0.66 ? 'center' : 'right';
  return `${vertical}-${horizontal}`;
}
