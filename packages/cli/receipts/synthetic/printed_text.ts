import type { ExtractedData } from 'receipt-embedding/entities/line_and_word';

/** A word as it stands on the paper. */
export interface PrintedWord {
  readonly text: string;
  /** What the word is, to one who knows the receipt. */
  readonly label?: string;
  readonly extracted?: ExtractedData;
  /** A stroke or smudge that OCR took for text. */
  readonly noise?: boolean;
}

/** One row of the paper. The right part (a price) stands at the right margin. */
export interface PrintedRow {
  readonly left: readonly PrintedWord[];
  readonly right: readonly PrintedWord[];
  readonly centred: boolean;
}

/** The words of a text, all with the same label and extracted value. */
export function printed(text: string, about: Omit<PrintedWord, 'text'> = {}): PrintedWord[] {
  return text.split(' ').map((word) => ({ text: word, ...about }));
}

export function row(left: readonly PrintedWord[], right: readonly PrintedWord[] = []): PrintedRow {
  return { left, right, centred: false };
}

export function centredRow(words: readonly PrintedWord[]): PrintedRow {
  return { left: words, right: [], centred: true };
}
