import { closeSync, openSync, writeSync } from 'node:fs';

/** Written to disk in pieces of this size. */
const PIECE = 1_000_000;

/** A file of lines. */
export interface LineFile {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
}

/**
 * Writes a new file line by line, of any size, in little memory.
 *
 * @param path of a file that is not there yet.
 * @throws what `lines` throws; EEXIST, ENOSPC.
 */
export async function writeLineFile(
  path: string,
  lines: Iterable<string> | AsyncIterable<string>,
): Promise<LineFile> {
  const file = openSync(path, 'wx');
  try {
    const written = { path, bytes: 0, lines: 0 };
    let pending = '';
    for await (const line of lines) {
      pending += `${line}\n`;
      written.lines++;
      if (pending.length < PIECE) continue;
      written.bytes += writeText(file, pending);
      pending = '';
    }
    written.bytes += writeText(file, pending);
    return written;
  } finally {
    closeSync(file);
  }
}

/** @returns its bytes. */
function writeText(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  return bytes.length;
}
