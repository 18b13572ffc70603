import { type ReceiptIdentity, receiptPath, type RowKey } from '../entities/keys.ts';
import { getRows } from './row_batches.ts';
import { deleteRow, type Table, updateRow } from './table.ts';

/** The newest change of a receipt that has been seen, while the receipt waits to be embedded. */
export interface LatestChange extends ReceiptIdentity {
  /** A text that is greater, the newer the change is. */
  readonly change: string;
}

const ATTRIBUTE = 'latest_change';

/** The row has no TYPE: no index has it, and the table's stream wakes nobody because of it. */
export function latestChangeKey(receipt: ReceiptIdentity): RowKey {
  return { PK: `EMBEDDING#${receiptPath(receipt)}`, SK: 'ARRIVAL' };
}

/**
 * Notes that a receipt has changed, unless a newer change is noted.
 *
 * @returns whether this is the newest one, also where it had been noted before.
 * @example
 * ```ts
 * await noteChange(table, { image_id: '3f52…', receipt_id: 1, change: '0…0111' }); // true
 * await noteChange(table, { image_id: '3f52…', receipt_id: 1, change: '0…0110' }); // false
 * ```
 */
export async function noteChange(
  table: Table,
  { change, ...receipt }: LatestChange,
): Promise<boolean> {
  return await updateRow(table, latestChangeKey(receipt), {
    UpdateExpression: `SET ${ATTRIBUTE} = :change`,
    ConditionExpression: `attribute_not_exists(${ATTRIBUTE}) OR ${ATTRIBUTE} <= :change`,
    values: { change },
  });
}

/**
 * The newest changes of receipts, read consistently.
 *
 * @param receipts each once.
 * @returns by receiptPath; those of which none is noted are missing.
 */
export async function latestChanges(
  table: Table,
  receipts: readonly ReceiptIdentity[],
): Promise<ReadonlyMap<string, string>> {
  const paths = new Map(
    receipts.map((receipt) => [latestChangeKey(receipt).PK, receiptPath(receipt)]),
  );
  const rows = await getRows(table, receipts.map(latestChangeKey), [ATTRIBUTE]);
  return new Map(rows.map(({ PK, [ATTRIBUTE]: change }) => [paths.get(PK) ?? PK, String(change)]));
}

/** Takes a note away, unless the receipt has changed again. */
export async function forgetChange(
  table: Table,
  { change, ...receipt }: LatestChange,
): Promise<void> {
  await deleteRow(table, latestChangeKey(receipt), { [ATTRIBUTE]: change });
}
