import { z } from 'zod';
import {
  type EmbeddedReceipt,
  embeddedReceiptCodec,
  embeddedReceiptKey,
  unknownReceipt,
} from '../entities/embedded_receipt.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { ConcurrentUpdate, InvalidReceiptData } from '../errors.ts';
import { RETRY_POLICIES, retrying } from '../retry.ts';
import { problemsOf } from './rows.ts';
import { getRow, putRow, type Table } from './table.ts';

/**
 * What is recorded of a receipt, read consistently.
 *
 * @returns undefined when nothing is.
 * @throws InvalidReceiptData when the record is not in its format: whoever went on without it would buy everything again.
 */
export async function readEmbeddedReceipt(
  table: Table,
  receipt: ReceiptIdentity,
): Promise<EmbeddedReceipt | undefined> {
  const key = embeddedReceiptKey(receipt);
  const row = await getRow(table, key, { ConsistentRead: true });
  if (row === undefined) return undefined;
  const decoded = z.safeDecode(embeddedReceiptCodec, row as never);
  if (decoded.success) return decoded.data;
  throw new InvalidReceiptData(
    `the record ${key.PK} is not in its format: ${problemsOf(decoded.error).slice(0, 5).join('; ')}`,
  );
}

/**
 * Writes a record, on condition that it is as it was read.
 *
 * @param read undefined where there was none.
 * @returns it as it is now.
 * @throws ConcurrentUpdate when somebody has changed it meanwhile: nothing is written then.
 */
export async function writeEmbeddedReceipt(
  table: Table,
  read: EmbeddedReceipt | undefined,
  changed: EmbeddedReceipt,
): Promise<EmbeddedReceipt> {
  const record = { ...changed, version: read === undefined ? 1 : read.version + 1 };
  const written = await putRow(
    table,
    z.encode(embeddedReceiptCodec, record),
    read === undefined ? { onlyNew: true } : { onlyIf: { version: read.version } },
  );
  if (written) return record;
  const { image_id, receipt_id } = record;
  throw new ConcurrentUpdate(
    `the record of receipt ${receipt_id} of image ${image_id} was changed by another execution`,
  );
}

/**
 * Changes a record, however often somebody else changes it meanwhile: the change is made to what it is then.
 *
 * @throws ConcurrentUpdate when it changes under every one of 10 tries.
 */
export async function changeEmbeddedReceipt(
  table: Table,
  receipt: ReceiptIdentity,
  change: (record: EmbeddedReceipt) => EmbeddedReceipt,
): Promise<EmbeddedReceipt> {
  return await retrying(RETRY_POLICIES.contended_record, async () => {
    const read = await readEmbeddedReceipt(table, receipt);
    return await writeEmbeddedReceipt(table, read, change(read ?? unknownReceipt(receipt)));
  });
}
