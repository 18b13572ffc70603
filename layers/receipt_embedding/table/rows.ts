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
}

/**
 * Decodes rows one by one: one that can't be read is logged with its key and left out.
 *
 * @example
 * ```ts
 * readRows([{ PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001', TYPE: 'RECEIPT_LINE' }], receiptLineCodec, logger);
 * // { entities: [], invalid: [{ PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001' }] }
 * ```
 */
export function readRows<Entity>(
  rows: Iterable<Row>,
  codec: z.ZodType<Entity>,
  logger: Logger,
): ReadRows<Entity> {
  const entities: Entity[] = [];
  const invalid: RowKey[] = [];
  for (const row of rows) {
    const decoded = z.safeDecode(codec, row);
    if (decoded.success) {
      entities.push(decoded.data);
      continue;
    }
    const key = { PK: row.PK, SK: row.SK };
    invalid.push(key);
    // The fields and what was expected of them, never their values: those may be a receipt's text.
    logger.warn('a row can not be read and is skipped', { key, fields: problemsOf(decoded.error) });
  }
  return { entities, invalid };
}

/** What is wrong with a row: fields and what was expected of them, without their values. */
export function problemsOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
