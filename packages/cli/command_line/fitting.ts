import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** What is typed or pasted stays in one piece, however long: the terminal itself joins its rows again when it is copied. */
const COMMAND = /^\s*(?:npx|npm|aws|eval) /;

/** Columns stand two spaces apart; prose does not. */
const COLUMNS = /\S {2,}\S/;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Narrower than this, no layout helps. */
const LEAST_COLUMNS = 20;

/**
 * A line as a terminal shows it well: prose runs on below its own beginning, a row of a table ends with `…`, a command stays whole.
 *
 * @param width the terminal's columns; undefined: no terminal, and nothing is changed.
 */
export function fitted(text: string, width: number | undefined): string[] {
  if (width === undefined || width < LEAST_COLUMNS) return [text];
  if (stringWidth(text) <= width || COMMAND.test(text)) return [text];
  return COLUMNS.test(text) ? [cut(text, width)] : wrapped(text, width);
}

/**
 * Prose in rows that are broken between words. A word that is longer than a row (an ARN, an address) stays whole.
 *
 * @param indent of the rows after the first. @default that of the first
 */
export function wrapped(text: string, width: number, indent?: number): string[] {
  const own = /^ */.exec(text)?.[0].length ?? 0;
  const hanging = indent ?? own;
  // What stands before the hanging indent is no part of what is wrapped.
  const [before, rest] = [text.slice(0, hanging), text.slice(hanging)];
  return wrapAnsi(rest, Math.max(LEAST_COLUMNS, width - hanging))
    .split('\n')
    .map((row, at) => `${at === 0 ? before : ' '.repeat(hanging)}${row}`);
}

/** A value behind its name, and below itself where it is long. */
export function fittedValue(name: string, value: string, width: number | undefined): string[] {
  if (width === undefined || COMMAND.test(value)) return [`${name}${value}`];
  const [first = '', ...rest] = wrapped(value, width - stringWidth(name));
  return [`${name}${first}`, ...rest.map((row) => `${' '.repeat(stringWidth(name))}${row}`)];
}

/** A text of at most so many columns, its end replaced by `…` where it is longer. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = '';
  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(shown + segment) >= width) break;
    shown += segment;
  }
  return `${shown.trimEnd()}…`;
}

/** How many columns of a terminal a text takes: 牛乳 takes four. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Padded with spaces to so many columns. */
export function padded(text: string, width: number, side: 'start' | 'end' = 'end'): string {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return side === 'end' ? `${text}${space}` : `${space}${text}`;
}
