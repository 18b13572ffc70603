/**
 * Levels of arrays and objects that a JSON text may have. What walks over a parsed value calls itself once a level, and
 * the stack is bounded; DynamoDB's own limit of 32 nested attributes needs some 70.
 */
export const MAX_JSON_DEPTH = 200;

/** Thrown for a JSON text of more levels than can be walked over. */
export class JsonTooDeep extends Error {
  override readonly name = 'JsonTooDeep';

  constructor() {
    super(`the JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
}

/**
 * Parses JSON that comes from outside.
 *
 * @throws SyntaxError, JsonTooDeep
 */
export function parseJson(text: string): unknown {
  requireShallow(text);
  return JSON.parse(text) as unknown;
}

/** The same of an object. @returns undefined for what is not a JSON object, or one that is nested too deep. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** @throws JsonTooDeep. Whether the text is JSON at all is not looked at. */
function requireShallow(text: string): void {
  if (text.length <= MAX_JSON_DEPTH) return;
  let depth = 0;
  // A search for what matters: vectors are megabytes of digits, and to look at each takes longer than to parse them.
  const structure = /["[\]{}]/g;
  for (let found = structure.exec(text); found !== null; found = structure.exec(text)) {
    const [character] = found;
    if (character === '"') structure.lastIndex = endOfString(text, found.index) + 1;
    else if (character === '[' || character === '{') {
      depth++;
      if (depth > MAX_JSON_DEPTH) throw new JsonTooDeep();
    } else depth--;
  }
}

/** Where the string that begins at `from` ends: at its quote, or at the end of the text. */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charAt(at - 1 - backslashes) === '\\') backslashes++;
  return backslashes % 2 === 1;
}
