import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { z } from 'zod';
import type { Row, RowKey } from '../entities/keys.ts';
import type { Logger } from '../ports.ts';

/**
 * A row as DynamoDB takes it; attributes that are undefined are left out.
 *
 * @example
 * ```ts
 * toItem({ PK: 'BATCH#0b6a…', requested: 2, reason: undefined });
 * // { PK: { S: 'BATCH#0b6a…' }, requested: { N: '2' } }
 * ```
 */
export function toItem(row: Readonly<Record<string, unknown>>): Record<string, AttributeValue> {
  return marshall(row, { removeUndefinedValues: true });
}

/**
 * A row as DynamoDB answers it, as an object. Its numbers have up to 38 digits; they become the nearest double, where
 * the SDK by itself would refuse the row, and with it everything that was read with it.
 *
 * @example
 * ```ts
 * toRow({ PK: { S: 'IMAGE#3f52…' }, confidence: { N: '0.97' } }); // { PK: 'IMAGE#3f52…', confidence: 0.97 }
 * ```
 */
export function toRow(item: Record<string, AttributeValue>): Row {
  return unmarshall(item, { wrapNumbers: Number }) as Row;
}

export interface ReadRows<Entity> {
  readonly entities: Entity[];
  /** The keys of the rows that could not be read. They are skipped and logged, never fatal. */
  readonly invalid: RowKey[];
  /** How many attributes were ignored of rows that were read all the same. @see decodeLeniently */
  readonly ignored: number;
}

/**
 * Decodes rows one by one: one that can't be read is logged with its key and left out.
 *
 * @param lenient an optional attribute in an odd form is as good as none.
 * @example
 * ```ts
 * readRows([{ PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001', TYPE: 'RECEIPT_LINE' }], receiptLineCodec, logger);
 * // { entities: [], invalid: [{ PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001' }], ignored: 0 }
 * ```
 */
export function readRows<Entity>(
  rows: Iterable<Row>,
  codec: z.ZodType<Entity>,
  logger: Logger,
  { lenient = false } = {},
): ReadRows<Entity> {
  const entities: Entity[] = [];
  const invalid: RowKey[] = [];
  const odd: { readonly key: RowKey; readonly fields: readonly string[] }[] = [];
  let ignored = 0;
  for (const row of rows) {
    const decoded = lenient ? decodeLeniently(codec, row) : z.safeDecode(codec, row);
    const key = { PK: row.PK, SK: row.SK };
    if (decoded.success) {
      entities.push(decoded.data);
      if ('ignored' in decoded && decoded.ignored.length > 0) {
        ignored += decoded.ignored.length;
        odd.push({ key, fields: decoded.ignored });
      }
      continue;
    }
    invalid.push(key);
    // The fields and what was expected of them, never their values: those may be a receipt's text.
    logger.warn('a row can not be read and is skipped', { key, fields: problemsOf(decoded.error) });
  }
  if (odd.length > 0) {
    // One line for all: an OCR that writes something oddly does so for each word.
    logger.warn('attributes that can not be read are ignored, their rows are not', {
      rows: odd.length,
      attributes: ignored,
      first: odd.slice(0, ROWS_SHOWN),
    });
  }
  return { entities, invalid, ignored };
}

/** Rows that one log line names. */
const ROWS_SHOWN = 20;

/** What decides over a row, though it may be absent: in an odd form it makes the row unreadable. */
const DECISIVE: ReadonlySet<PropertyKey> = new Set([
  'embedding_status',
  'is_noise',
  'image_id',
  'receipt_id',
  'line_id',
  'word_id',
]);

type LenientlyDecoded<Entity> =
  | { readonly success: true; readonly data: Entity; readonly ignored: readonly string[] }
  | { readonly success: false; readonly error: z.ZodError };

/**
 * Decodes a row; attributes that are in none of their forms are ignored where the row may lack them: what an embedding hardly needs (an
 * angle, a corner, extracted data, a label's timestamp) must not decide over a text.
 */
export function decodeLeniently<Entity>(
  codec: z.ZodType<Entity>,
  row: Readonly<Row>,
): LenientlyDecoded<Entity> {
  const decoded = z.safeDecode(codec, row);
  if (decoded.success) return { success: true, data: decoded.data, ignored: [] };
  const odd = new Set(decoded.error.issues.map(({ path: [name] }) => name));
  const kept = Object.entries(row).filter(([name]) => !odd.has(name));
  if ([...odd].some((name) => name === undefined || DECISIVE.has(name))) return decoded;
  const again = z.safeDecode(codec, Object.fromEntries(kept));
  return again.success
    ? { success: true, data: again.data, ignored: [...odd].map(String).sort() }
    : decoded;
}

/** What is wrong with a row: fields and what was expected of them, without their values. */
export function problemsOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
