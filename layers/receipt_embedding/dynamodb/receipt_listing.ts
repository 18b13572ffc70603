import { marshall } from '@aws-sdk/util-dynamodb';
import { imageKey, parseKey, receiptPart, type ReceiptIdentity } from '../entities/keys.ts';
import type { Row } from '../entities/row.ts';
import type { Logger } from '../ports/logger.ts';
import { queryPages } from './query.ts';
import type { Table } from './table.ts';

/** Where a row that can't be read is counted. */
export interface InvalidRows {
  count: number;
}

/**
 * Every receipt of the table, in the index's own order, which is fixed but means nothing.
 *
 * @param after goes on behind this receipt, as an earlier listing that ended there would have.
 */
export async function* listReceipts(
  table: Table,
  after: ReceiptIdentity | undefined,
  invalid: InvalidRows,
  logger: Logger,
): AsyncGenerator<ReceiptIdentity> {
  const pages = queryPages(table, {
    IndexName: 'GSITYPE',
    KeyConditionExpression: '#type = :type',
    ExpressionAttributeNames: { '#type': 'TYPE' },
    ProjectionExpression: 'PK, SK',
    values: { type: 'RECEIPT' },
    ...(after === undefined ? {} : { ExclusiveStartKey: marshall(indexKey(after)) }),
  });
  for await (const rows of pages) {
    for (const { PK, SK } of rows) {
      const parts = parseKey({ PK, SK });
      if (parts === undefined || parts.line_id !== undefined) {
        invalid.count++;
        logger.warn('a receipt has a key that can not be read and is skipped', { key: { PK, SK } });
        continue;
      }
      yield { image_id: parts.image_id, receipt_id: parts.receipt_id };
    }
  }
}

function indexKey({ image_id, receipt_id }: ReceiptIdentity): Row {
  return { TYPE: 'RECEIPT', PK: imageKey(image_id), SK: receiptPart(receipt_id) };
}
