/**
 * How much of another's text a vector's metadata may quote, in characters as JavaScript counts them (UTF-16 code units), the `…`
 * included (docs/data_model.md §2). A line of 45,000 characters is its own fault; those beside it must not suffer from it: Pinecone
 * refuses metadata over 40,960 bytes. Only metadata is bounded so, never an input that is embedded.
 */
export const QUOTED_CHARACTERS = {
  /** Each of prev_line, next_line, left and right: at most 1,500 bytes. */
  neighbour: 500,
  /** merchant_name: readers filter on it by equality, and no shop's name is as long. */
  merchant: 200,
} as const;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * A text of at most so many characters: whole, or its beginning and `…`. What a reader sees as one character is not torn apart.
 *
 * @param most from 1.
 * @example
 * ```ts
 * quoted('WHOLE MILK', 500); // 'WHOLE MILK'
 * quoted('WHOLE MILK', 6); // 'WHOLE…'
 * ```
 */
export function quoted(text: string, most: number): string {
  if (text.length <= most) return text;
  let end = 0;
  // Two characters more, so that where the last grapheme ends is judged by what follows it.
  for (const { index } of graphemes.segment(text.slice(0, most + 2))) {
    if (index > most - 1) break;
    end = index;
  }
  return `${text.slice(0, end)}…`;
}
