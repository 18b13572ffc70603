import type { WriteStream } from 'node:tty';

/** Where `npm start` writes for people: a terminal, or a file or pipe, which gets plain lines. */
export class Screen {
  readonly #out: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>;
  /** The share of the progress that a plain line was last written for. */
  #shown = -1;
  #inProgress = false;

  constructor(out: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>) {
    this.#out = out;
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  /** Draws over the line before; without a terminal, a line for each tenth. */
  progress(text: string, share: number): void {
    if (this.#out.isTTY === true) {
      this.#out.write(`\r\u001b[K${text}`);
      this.#inProgress = true;
      return;
    }
    const tenth = Math.floor(share * 10);
    if (tenth <= this.#shown) return;
    this.#shown = tenth;
    this.line(text);
  }

  endProgress(): void {
    if (this.#inProgress) this.line();
    this.#inProgress = false;
    this.#shown = -1;
  }

  /** Names and values in two columns. */
  table(rows: readonly (readonly [string, string])[]): void {
    const width = Math.max(...rows.map(([name]) => name.length));
    for (const [name, value] of rows) this.line(`  ${name.padEnd(width)}  ${value}`);
  }
}
