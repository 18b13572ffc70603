import { Writable } from 'node:stream';
import { Screen } from '../screen.ts';

/** What a program wrote; emits `written` after each piece. */
export class WrittenText extends Writable {
  text = '';

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    this.emit('written', chunk.toString());
    done();
  }

  get lines(): string[] {
    return this.text.replace(/\n$/, '').split('\n');
  }
}

/** A screen, and what was written on it. */
interface WrittenScreen {
  readonly screen: Screen;
  readonly text: () => string;
  readonly lines: () => string[];
}

export function writtenScreen(isTTY?: boolean, columns?: number): WrittenScreen {
  const out = new WrittenText();
  const terminal = {
    ...(isTTY === undefined ? {} : { isTTY }),
    ...(columns === undefined ? {} : { columns }),
  };
  return {
    screen: new Screen(Object.assign(out, terminal)),
    text: () => out.text,
    lines: () => out.lines,
  };
}
