import { isUtf8 } from 'node:buffer';

/**
 * Finds the values of a JSON object by their bytes, so that only the wanted ones are parsed, one at a
 * time. An export with its letters is hundreds of megabytes: JSON.parse of the whole can't take more
 * than V8's longest string (0.5 G characters), and measured on 450 MB it needed twice the memory and
 * twice the time of this.
 */

/** Where a value lies: `end` is the byte after its last. */
interface ValueRange {
  readonly start: number;
  readonly end: number;
}

export interface Member extends ValueRange {
  readonly name: string;
}

/** The file is not JSON, or its top level is no object. The message holds a position, never text of the file. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const WHITE_SPACE = new Set<number | undefined>([0x20, 0x09, 0x0a, 0x0d]);
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The objects that `bytes` holds, one or (JSON lines) one after the other, each as its members in their order. Their values are
 * skipped, not parsed: what is wrong within one is found by `parseValue`.
 *
 * @throws MalformedJson
 */
export function* objects(bytes: Buffer): Generator<readonly Member[], void, undefined> {
  const hasMark = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  let at = skipSpace(bytes, hasMark ? BYTE_ORDER_MARK.length : 0);
  do {
    const { members, end } = readObject(bytes, at);
    yield members;
    at = skipSpace(bytes, end);
  } while (bytes[at] === OPEN_BRACE);
  if (at < bytes.length) throw malformed(bytes, at, 'expected the end of the file');
}

function readObject(bytes: Buffer, start: number): { members: Member[]; end: number } {
  const members: Member[] = [];
  let at = skipSpace(bytes, expectByte(bytes, start, OPEN_BRACE));
  if (bytes[at] === CLOSE_BRACE) return { members, end: at + 1 };
  for (;;) {
    const nameEnd = endOfName(bytes, at);
    const name = parseValue(bytes, { start: at, end: nameEnd });
    at = expectByte(bytes, skipSpace(bytes, nameEnd), COLON);
    const valueStart = skipSpace(bytes, at);
    const end = endOfValue(bytes, valueStart);
    members.push({ name: String(name), start: valueStart, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACE) return { members, end: at + 1 };
    at = skipSpace(bytes, expectByte(bytes, at, COMMA));
  }
}

export function isArray(bytes: Buffer, { start }: ValueRange): boolean {
  return bytes[start] === OPEN_BRACKET;
}

/**
 * The elements of an array.
 *
 * @throws MalformedJson
 */
export function* elements(bytes: Buffer, array: ValueRange): Generator<ValueRange> {
  let at = skipSpace(bytes, array.start + 1);
  if (bytes[at] === CLOSE_BRACKET) return;
  for (;;) {
    const end = endOfValue(bytes, at);
    yield { start: at, end };
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACKET) return;
    at = skipSpace(bytes, expectByte(bytes, at, COMMA));
  }
}

/**
 * A value. `NaN`, `Infinity` and `-Infinity`, which are no JSON but which Python writes, are those numbers.
 *
 * @throws MalformedJson
 */
export function parseValue(bytes: Buffer, { start, end }: ValueRange): unknown {
  const text = bytes.toString('utf8', start, end);
  try {
    return JSON.parse(text);
  } catch {
    const value = parseWithSpecialNumbers(text);
    if (value !== undefined) return value;
    // V8's own message quotes the text.
    throw malformed(bytes, start, 'expected a JSON value');
  }
}

/** A string as a whole, so that nothing in it is taken for a number; or one of Python's numbers. */
const STRING_OR_SPECIAL = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gs;

/** @returns undefined when it is no JSON otherwise either. */
function parseWithSpecialNumbers(text: string): unknown {
  // No JSON text holds this character unescaped, so no string of the file is equal.
  const mark = (number: string): string => JSON.stringify(`\u0000${number}`);
  const marked = text.replace(STRING_OR_SPECIAL, (found) =>
    found.startsWith('"') ? found : mark(found),
  );
  if (marked === text) return undefined;
  try {
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith('\u0000') ? Number(value.slice(1)) : value,
    );
  } catch {
    return undefined;
  }
}

/**
 * What a file is in that is not UTF-8, for people; undefined for one that is. Decoded leniently, each letter that is none would
 * be embedded as U+FFFD.
 *
 * @example
 * ```ts
 * encodingProblem(Buffer.from('{"a": "caf\xe9"}', 'latin1')); // 'is not UTF-8 at byte 10 (line 1): …'
 * ```
 */
export function encodingProblem(bytes: Buffer): string | undefined {
  const [first, second] = bytes;
  const utf16 =
    (first === 0xff && second === 0xfe) ||
    (first === 0xfe && second === 0xff) ||
    (first === 0 && second === OPEN_BRACE) ||
    (first === OPEN_BRACE && second === 0);
  if (utf16) return 'is UTF-16, but must be UTF-8: convert it with `iconv -f UTF-16 -t UTF-8`';
  if (isUtf8(bytes)) return undefined;
  const at = firstInvalidByte(bytes);
  return (
    `is not UTF-8 at byte ${at} (line ${lineOf(bytes, at)}): if it is Latin-1, convert it with ` +
    '`iconv -f LATIN1 -t UTF-8`'
  );
}

function firstInvalidByte(bytes: Buffer): number {
  // A line feed is never a part of another character.
  let start = 0;
  for (;;) {
    const feed = bytes.indexOf('\n', start);
    const end = feed < 0 ? bytes.length : feed + 1;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end;
  }
  for (let at = start; ;) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(at, at + length))) return at;
    at += length;
  }
}

function endOfName(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) throw malformed(bytes, at, 'expected a name in double quotes');
  return endOfString(bytes, at);
}

function endOfValue(bytes: Buffer, start: number): number {
  switch (bytes[start]) {
    case QUOTE:
      return endOfString(bytes, start);
    case OPEN_BRACE:
    case OPEN_BRACKET:
      return endOfNested(bytes, start);
    default:
      return endOfScalar(bytes, start);
  }
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  throw malformed(bytes, bytes.length, `the string that begins at byte ${start} does not end`);
}

function endOfNested(bytes: Buffer, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
      continue;
    }
    at++;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at;
  }
  const what = bytes[start] === OPEN_BRACE ? 'object' : 'array';
  throw malformed(bytes, bytes.length, `the ${what} that begins at byte ${start} does not end`);
}

function endOfScalar(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && !endsScalar(bytes[at])) at++;
  if (at === start) throw malformed(bytes, start, 'expected a JSON value');
  return at;
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || WHITE_SPACE.has(byte);
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (WHITE_SPACE.has(bytes[at])) at++;
  return at;
}

function expectByte(bytes: Buffer, at: number, byte: number): number {
  if (bytes[at] !== byte) throw malformed(bytes, at, `expected "${String.fromCharCode(byte)}"`);
  return at + 1;
}

function malformed(bytes: Buffer, at: number, problem: string): MalformedJson {
  return new MalformedJson(`${problem} at byte ${at} (line ${lineOf(bytes, at)})`);
}

function lineOf(bytes: Buffer, at: number): number {
  let line = 1;
  for (let i = bytes.indexOf('\n'); i >= 0 && i < at; i = bytes.indexOf('\n', i + 1)) line++;
  return line;
}
