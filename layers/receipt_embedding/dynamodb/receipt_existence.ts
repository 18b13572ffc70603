import { marshall } from '@aws-sdk/util-dynamodb';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { receiptPath, rowKey, type ReceiptIdentity } from '../entities/keys.ts';
import { queryPages } from './query.ts';
import type { Table } from './table.ts';

/** Whether the table has the receipt itself or at least a line or word of it. */
export async function receiptExists(table: Table, receipt: ReceiptIdentity): Promise<boolean> {
  const path = receiptPath(receipt);
  const { Item } = await table.client.send(
    new GetItemCommand({
      TableName: table.name,
      Key: marshall(rowKey(receipt.image_id, path)),
      ProjectionExpression: 'PK',
    }),
  );
  if (Item !== undefined) return true;
  const pages = queryPages(table, {
    IndexName: 'GSI3',
    KeyConditionExpression: 'GSI3PK = :receipt',
    ProjectionExpression: 'PK',
    Limit: 1,
    values: { receipt: path },
  });
  for await (const rows of pages) if (rows.length > 0) return true;
  return false;
}
