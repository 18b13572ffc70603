import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** No line that is meant to be read comes near it; what goes beyond is cut off, so that memory stays bounded. */
const LONGEST_LINE = 16_000_000;

/**
 * A stream of UTF-8 line by line, empty lines left out, in memory that does not grow with its size. It throws what the stream
 * throws, which Node's readline would swallow.
 *
 * @param longest characters of a line that are kept.
 * @example
 * ```ts
 * for await (const line of linesOf(Readable.from(['a\n', '\nb']))) … // 'a', then 'b'
 * ```
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
      // The beginning of a line is not searched again: a line that never ends would take for ever.
      line += piece.slice(0, longest - line.length);
    }
  }
  yield* whole(line);
}

function* whole(line: string): Generator<string> {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (text !== '') yield text;
}

/** Written to disk in pieces of this size. */
const PIECE = 64_000;

/** A file of lines. */
export interface LineFile {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
}

/**
 * Writes a new file line by line, of any size, in little memory.
 *
 * @param path of a file that does not exist yet.
 * @returns its path, its bytes and its lines.
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

/**
 * Joins files into the first of them, in their order. Each other one is removed as soon as it is copied, so that the disk never
 * holds all of them twice.
 *
 * @param files at least one.
 */
export function joinFiles(files: readonly LineFile[]): LineFile {
  const [first, ...others] = files;
  if (first === undefined) throw new RangeError('there are no files to join');
  const target = openSync(first.path, 'a');
  try {
    const buffer = Buffer.allocUnsafe(PIECE);
    for (const { path } of others) {
      const source = openSync(path, 'r');
      try {
        for (let read = readSync(source, buffer); read > 0; read = readSync(source, buffer)) {
          for (let at = 0; at < read;) at += writeSync(target, buffer, at, read - at);
        }
      } finally {
        closeSync(source);
      }
      rmSync(path);
    }
  } finally {
    closeSync(target);
  }
  const sum = (part: 'bytes' | 'lines'): number => files.reduce((all, file) => all + file[part], 0);
  return { path: first.path, bytes: sum('bytes'), lines: sum('lines') };
}

/** @returns its bytes. */
function writeText(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  return bytes.length;
}

/** @returns undefined for a text that is no JSON, which every schema then refuses. A byte order mark before it is left out. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Calls `use` with a new folder inside `parent`, and removes that folder afterwards, also when `use` throws. Where `use` is
 * synchronous, no other work of the event loop comes in between.
 *
 * @throws ENOENT or EACCES when `parent` does not exist or can't be written to; what `use` throws.
 * @example
 * ```ts
 * await withTemporaryFolder(tmpdir(), (folder) => writeFileSync(join(folder, 'requests.jsonl'), text));
 * ```
 */
export async function withTemporaryFolder<Result>(
  parent: string,
  use: (folder: string) => Result | Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(parent, 'receipts-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
