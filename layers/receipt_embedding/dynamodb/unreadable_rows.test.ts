import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import { aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { readReceiptContents } from './receipt_contents.ts';
import { receiptsWithStatus, SHARDS } from './status_listing.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

describe('a number of more digits than a double has', () => {
  it('is read as the nearest double, and does not fail the query', async () => {
    const line = aLine({ line_id: 2 });
    await table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: { ...marshall(rowOf.line(line)), angle_degrees: { N: '12345678901234567890.5' } },
      }),
    );

    const { lines } = await readReceiptContents(table, RECEIPT, new RecordingLogger());

    expect(lines).toStrictEqual([{ ...line, angle_degrees: 12345678901234567000 }]);
  });
});

describe('a receipt of which only an unreadable row has the status', () => {
  it('is not listed, since processing it would never change that', async () => {
    const row = { ...rowOf.word(aWord({ embedding_status: 'FAILED' })), confidence: 1.2 };
    await table.put(row);
    const invalid = { count: 0 };
    const logger = new RecordingLogger();
    const listing = { table, status: 'FAILED' as const, after: undefined, invalid, logger };

    const found = [];
    for (const shard of SHARDS) found.push(...(await collect(receiptsWithStatus(listing, shard))));

    expect(found).toStrictEqual([]);
    expect(invalid.count).toBe(1);
    expect(logger.keys).toStrictEqual([{ PK: row.PK, SK: row.SK }]);
  });
});
