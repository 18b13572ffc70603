import { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { cut, fitted, fittedValue, padded, widthOf } from './fitting.ts';

/** Where a command-line program writes for people: a terminal, or a file or pipe, which gets plain lines. */
export type ScreenOutput = NodeJS.WritableStream &
  Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;

const BAR_WIDTH = 30;
/** The cursor goes home, and what is below it away: what was scrolled off before stays. */
const CLEAR = '\u001b[H\u001b[J';

export class Screen {
  #out: ScreenOutput;
  /** The share of the progress that a plain line was last written for. */
  #shown = -Infinity;
  /** The progress that stands in the terminal's last line. */
  #drawn: string | undefined;

  constructor(out: ScreenOutput) {
    this.#out = out;
  }

  /** Goes above the progress, where there is any. A terminal gets no word that is broken in its middle. */
  line(text = ''): void {
    this.#write(fitted(text, this.width));
  }

  /** Nothing more is shown: work that was stopped may go on until what it uses is closed under it. */
  silence(): void {
    this.clearProgress();
    this.#out = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
  }

  /** The terminal's columns; undefined where there is none. */
  get width(): number | undefined {
    const { isTTY, columns } = this.#out;
    return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined;
  }

  #write(rows: readonly string[]): void {
    const text = rows.map((row) => `${row}\n`).join('');
    this.#out.write(this.#drawn === undefined ? text : `\r\u001b[K${text}${this.#drawn}`);
  }

  /** The name of a step or of a part: bold on a terminal, unless NO_COLOR is set. */
  heading(text: string): void {
    this.#styled('bold', text);
  }

  /** What went wrong: red on a terminal, unless NO_COLOR is set. */
  failure(text: string): void {
    this.#styled('red', text);
  }

  #styled(style: 'bold' | 'red', text: string): void {
    this.#write(
      fitted(text, this.width).map((row) => styleText(style, row, { stream: this.#out })),
    );
  }

  /**
   * Draws over the progress before; without a terminal, a line for each tenth.
   *
   * @param share 0 to 1; below 0, one more line is for what comes before the beginning.
   */
  progress(text: string, share: number): void {
    if (this.#out.isTTY === true) {
      this.#drawn = this.#fitting(text);
      this.#out.write(`\r\u001b[K${this.#drawn}`);
      return;
    }
    const tenth = Math.floor(share * 10);
    if (tenth <= this.#shown) return;
    this.#shown = tenth;
    this.line(text);
  }

  /** Progress with a bar before its text; `total` is at least 1. */
  bar({ done, total }: { readonly done: number; readonly total: number }, text: string): void {
    const filled = Math.floor((BAR_WIDTH * done) / total);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    this.progress(`  [${bar}] ${text}`, done / total);
  }

  endProgress(): void {
    if (this.#drawn !== undefined) this.#out.write('\n');
    this.#drawn = undefined;
    this.#shown = -Infinity;
  }

  /** Takes the progress away where it is drawn, for what stands for itself. */
  clearProgress(): void {
    if (this.#drawn !== undefined) this.#out.write('\r\u001b[K');
    this.#drawn = undefined;
    this.#shown = -Infinity;
  }

  lines(lines: readonly string[]): void {
    for (const line of lines) this.line(line);
  }

  /** In the place of all that a terminal shows, as much as fits; without a terminal, below what was written before. */
  page(lines: readonly string[]): void {
    const { rows = Infinity } = this.#out;
    if (this.width === undefined) {
      this.lines([...lines, '']);
      return;
    }
    const room = rows - 1;
    const all = lines.flatMap((line) => fitted(line, this.width));
    // A small terminal needs its rows for more than what sets parts off.
    const fitting = all.length <= room ? all : all.filter((line) => line !== '');
    const shown =
      fitting.length <= room
        ? fitting
        : [...fitting.slice(0, room - 1), `… ${fitting.length - room + 1} lines more`];
    this.#out.write(`${CLEAR}${shown.map((line) => `${line}\n`).join('')}`);
  }

  /** Names and values in two columns. */
  table(rows: readonly (readonly [string, string])[]): void {
    const width = Math.max(...rows.map(([name]) => widthOf(name)));
    for (const [name, value] of rows) {
      this.#write(fittedValue(`  ${padded(name, width)}  `, value, this.width));
    }
  }

  /** What runs over into another line can't be drawn over, nor what ends in the last column. */
  #fitting(text: string): string {
    return this.width === undefined ? text : cut(text, this.width - 1);
  }
}
