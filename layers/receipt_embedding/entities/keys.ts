import { z } from 'zod';

/** A UUID in any case, version 4 or 5: what the table's image ids are. Kept exactly as it is written there. */
export const imageIdSchema = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i,
    'expected a UUID of version 4 or 5',
  );

/** receipt_id, line_id, word_id: five digits in a key, so 99,999 is the last that sorts as it counts. */
export const ordinalSchema = z.int().min(1).max(99_999);

export const receiptIdentitySchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
});

/** Which receipt: a receipt's number within its image. */
export type ReceiptIdentity = z.output<typeof receiptIdentitySchema>;

export interface LineIdentity extends ReceiptIdentity {
  readonly line_id: number;
}

export interface WordIdentity extends LineIdentity {
  readonly word_id: number;
}

/** A row's primary key. */
export interface RowKey {
  readonly PK: string;
  readonly SK: string;
}

const pad = (ordinal: number): string => String(ordinal).padStart(5, '0');

export const imageKey = (imageId: string): string => `IMAGE#${imageId}`;
export const receiptPart = (receiptId: number): string => `RECEIPT#${pad(receiptId)}`;
const linePart = (lineId: number): string => `LINE#${pad(lineId)}`;
const wordPart = (wordId: number): string => `WORD#${pad(wordId)}`;

/** `IMAGE#{image_id}#RECEIPT#{r:05d}`: the hash of GSI3, and what the ids of a receipt's vectors begin with. */
export function receiptPath({ image_id, receipt_id }: ReceiptIdentity): string {
  return `${imageKey(image_id)}#${receiptPart(receipt_id)}`;
}

/**
 * A line's key in one string: its vector id, and its `custom_id` at OpenAI.
 * @example
 * ```ts
 * linePath({ image_id: '3f52804b-2fad-4e00-92c8-b593da3a8ed3', receipt_id: 1, line_id: 2 });
 * // 'IMAGE#3f52804b-2fad-4e00-92c8-b593da3a8ed3#RECEIPT#00001#LINE#00002'
 * ```
 */
export function linePath(line: LineIdentity): string {
  return `${receiptPath(line)}#${linePart(line.line_id)}`;
}

/** A word's key in one string: its vector id, and its `custom_id` at OpenAI. */
export function wordPath(word: WordIdentity): string {
  return `${linePath(word)}#${wordPart(word.word_id)}`;
}

/**
 * A primary key out of a path: the image is the hash, the rest the range.
 * @example
 * ```ts
 * rowKey(image_id, linePath(line)); // { PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00002' }
 * ```
 */
export function rowKey(imageId: string, path: string): RowKey {
  const image = imageKey(imageId);
  return { PK: image, SK: path.slice(image.length + 1) };
}

const KEY_PATTERN = new RegExp(
  '^IMAGE#(?<image>[^#]+)#RECEIPT#(?<receipt>\\d{5})' +
    '(?:#LINE#(?<line>\\d{5})(?:#WORD#(?<word>\\d{5})(?:#LABEL#(?<label>.+))?)?)?$',
);

/** The ids that a row's key carries; what the key does not name is missing. */
interface KeyParts extends ReceiptIdentity {
  readonly line_id?: number;
  readonly word_id?: number;
  readonly label?: string;
}

/**
 * Reads the ids out of the key of a receipt, line, word or label.
 *
 * @returns undefined when the key is none of these.
 * @example
 * ```ts
 * parseKey({ PK: 'IMAGE#3f52804b-2fad-4e00-92c8-b593da3a8ed3', SK: 'RECEIPT#00001#LINE#00002' });
 * // { image_id: '3f52804b-2fad-4e00-92c8-b593da3a8ed3', receipt_id: 1, line_id: 2 }
 * ```
 */
export function parseKey({ PK, SK }: RowKey): KeyParts | undefined {
  return parsePath(`${PK}#${SK}`);
}

/** The same for a key in one string, as vector ids are. @see parseKey */
export function parsePath(path: string): KeyParts | undefined {
  const groups = KEY_PATTERN.exec(path)?.groups;
  if (groups === undefined) return undefined;
  const { image, receipt, line, word, label } = groups;
  const identity = receiptIdentitySchema.safeParse({
    image_id: image,
    receipt_id: Number(receipt),
  });
  if (!identity.success) return undefined;
  return {
    ...identity.data,
    ...(line === undefined ? {} : { line_id: Number(line) }),
    ...(word === undefined ? {} : { word_id: Number(word) }),
    ...(label === undefined ? {} : { label }),
  };
}

/** Byte order, which is DynamoDB's order of keys; `<` on strings agrees for the ASCII that keys are made of. */
export function compareReceipts(a: ReceiptIdentity, b: ReceiptIdentity): number {
  if (a.image_id !== b.image_id) return a.image_id < b.image_id ? -1 : 1;
  return a.receipt_id - b.receipt_id;
}

/** A row as it lies in the table, unmarshalled: attributes by name. */
export type Row = RowKey & Record<string, unknown>;

export const keyFields = { PK: z.string(), SK: z.string() };

/** The ids that an entity's key must carry, by the deepest of them. */
interface IdentityOf {
  receipt_id: ReceiptIdentity;
  line_id: LineIdentity;
  word_id: WordIdentity;
  label: WordIdentity & { readonly label: string };
}

/**
 * The ids of a row. Its key has them; where the row repeats them as attributes, they must agree.
 * What is wrong becomes issues of the payload, and the answer is zod's `NEVER`.
 */
export function identify<const Id extends keyof IdentityOf>(
  row: Readonly<Row>,
  deepest: Id,
  payload: z.core.ParsePayload,
): IdentityOf[Id] {
  const parts = parseKey(row);
  if (parts?.[deepest] === undefined) {
    payload.issues.push({
      code: 'custom',
      message: `the key names no ${deepest}`,
      path: ['SK'],
      input: row.SK,
    });
    return z.NEVER;
  }
  for (const [name, value] of Object.entries(parts)) {
    if (row[name] !== undefined && row[name] !== value) {
      payload.issues.push({
        code: 'custom',
        message: 'does not agree with the key',
        path: [name],
        input: row[name],
      });
    }
  }
  return parts as IdentityOf[Id];
}

const ISO_8601 =
  /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?<offset>Z|[+-]\d{2}:?\d{2})?)?$/;

/** ISO 8601, with an offset or without one, which means UTC. */
export const timestampSchema = z
  .string()
  .refine((text) => !Number.isNaN(epochMilliseconds(text)), 'expected an ISO 8601 timestamp');

/** @returns NaN when the text is no ISO 8601 timestamp. */
export function epochMilliseconds(timestamp: string): number {
  return ISO_8601.test(timestamp) ? Date.parse(withOffset(timestamp)) : Number.NaN;
}

/**
 * The same instant with its offset written out: what readers of our rows and metadata expect.
 * @example
 * ```ts
 * withOffset('2025-03-01T10:00:00'); // '2025-03-01T10:00:00+00:00'
 * ```
 */
export function withOffset(timestamp: string): string {
  const match = ISO_8601.exec(timestamp);
  if (match === null || match.groups?.['offset'] !== undefined) return timestamp;
  return timestamp.length > 'yyyy-mm-dd'.length
    ? `${timestamp}+00:00`
    : `${timestamp}T00:00:00+00:00`;
}

/** An instant as rows have it: ISO 8601 in UTC, its offset written as `+00:00`. */
export function toTimestamp(instant: Date): string {
  return instant.toISOString().replace('Z', '+00:00');
}
