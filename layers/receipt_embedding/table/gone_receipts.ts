import { z } from 'zod';
import {
  EMBEDDED_RECEIPT_TYPE,
  embeddedReceiptCodec,
  isHeldAnywhere,
} from '../entities/embedded_receipt.ts';
import { imageKey, type ReceiptIdentity, receiptPart, type RowKey } from '../entities/keys.ts';
import type { Logger } from '../ports.ts';
import type { InvalidRows } from './receipt_listing.ts';
import { existingKeys } from './row_batches.ts';
import { ofType, queryPages, type Table } from './table.ts';

/**
 * Receipts whose vectors are somewhere, and whose own rows are gone, so that no listing of receipts has them.
 *
 * @param invalid counts records that can't be read, which are logged.
 * @example
 * ```ts
 * for await (const receipt of listGoneReceipts(table, invalid, logger)) …
 * // { image_id: '3f52804b-2fad-4e00-92c8-b593da3a8ed3', receipt_id: 1 }, …
 * ```
 */
export async function* listGoneReceipts(
  table: Table,
  invalid: InvalidRows,
  logger: Logger,
): AsyncGenerator<ReceiptIdentity> {
  const pages = queryPages(table, ofType(EMBEDDED_RECEIPT_TYPE));
  for await (const { rows } of pages) {
    const held: (ReceiptIdentity & RowKey)[] = [];
    for (const row of rows) {
      const decoded = z.safeDecode(embeddedReceiptCodec, row as never);
      if (!decoded.success) {
        invalid.count++;
        logger.warn('the record of a receipt can not be read and is skipped', {
          key: { PK: row.PK, SK: row.SK },
        });
      } else if (isHeldAnywhere(decoded.data)) {
        const { image_id, receipt_id } = decoded.data;
        held.push({ image_id, receipt_id, PK: imageKey(image_id), SK: receiptPart(receipt_id) });
      }
    }
    const existing = await existingKeys(table, held);
    for (const { image_id, receipt_id, PK, SK } of held) {
      if (!existing.has(`${PK}#${SK}`)) yield { image_id, receipt_id };
    }
  }
}
