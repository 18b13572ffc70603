import { z } from 'zod';
import {
  parseKey,
  type LineIdentity,
  type ReceiptIdentity,
  type RowKey,
  type WordIdentity,
} from './keys.ts';

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
