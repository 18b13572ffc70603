import type { Readable } from 'node:stream';

/** No line that is meant to be read comes near it; what goes beyond is cut off, so that memory stays bounded. */
export const LONGEST_LINE = 16_000_000;

/**
 * A stream of UTF-8 line by line, empty lines left out, in memory that does not grow with its size. It throws what the stream
 * throws, which Node's readline would swallow.
 *
 * @param longest characters of a line that are kept.
 */
export async function* linesOf(
  stream: Readable,
  longest: number = LONGEST_LINE,
): AsyncGenerator<string> {
  let line = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    for (const [at, piece] of (chunk as string).split('\n').entries()) {
      if (at > 0) {
        yield* whole(line);
        line = '';
      }
      // What is there of a line is not searched again: one that never ends would take for ever.
      line += piece.slice(0, longest - line.length);
    }
  }
  yield* whole(line);
}

function* whole(line: string): Generator<string> {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (text !== '') yield text;
}
