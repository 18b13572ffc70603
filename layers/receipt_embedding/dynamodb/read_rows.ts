import { z } from 'zod';
import type { RowKey } from '../entities/keys.ts';
import type { Row } from '../entities/row.ts';
import type { Logger } from '../ports/logger.ts';

export interface ReadRows<Entity> {
  readonly entities: Entity[];
  /** The keys of the rows that could not be read. They are skipped and logged, never fatal. */
  readonly invalid: RowKey[];
}

/** Decodes rows one by one: one that can't be read is logged with its key and left out. */
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
    const fields = decoded.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    logger.warn('a row can not be read and is skipped', { key, fields });
  }
  return { entities, invalid };
}
