import { Writable } from 'node:stream';
import { Screen } from '../screen.ts';

/** A screen, and what was written on it. */
export interface WrittenScreen {
  readonly screen: Screen;
  readonly text: () => string;
  readonly lines: () => string[];
}

export function writtenScreen(isTTY?: boolean, columns?: number): WrittenScreen {
  let text = '';
  const out = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      done();
    },
  });
  return {
    screen: new Screen(
      Object.assign(
        out,
        isTTY === undefined ? {} : { isTTY },
        columns === undefined ? {} : { columns },
      ),
    ),
    text: () => text,
    lines: () => text.replace(/\n$/, '').split('\n'),
  };
}
