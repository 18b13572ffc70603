import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import { aLine, aReceipt } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { compareReceipts, type ReceiptIdentity } from '../entities/keys.ts';
import { listReceipts } from './receipt_listing.ts';

let table: ReceiptTable;

const identities = Array.from({ length: 12 }, (_, at) => ({
  image_id: `${at % 2 === 0 ? 'a' : 'B'}0000000-0000-4000-8000-0000000000${String(10 + at)}`,
  receipt_id: 1 + (at % 3),
}));

beforeAll(async () => {
  table = await ReceiptTable.start();
  // 200 KB each: the listing takes three pages of DynamoDB.
  const raw_s3_key = 'x'.repeat(200_000);
  await table.put(
    ...identities.map((identity) => rowOf.receipt(aReceipt({ ...identity, raw_s3_key }))),
    rowOf.line(aLine()),
    { PK: 'IMAGE#not-a-uuid', SK: 'RECEIPT#00001', TYPE: 'RECEIPT' },
    { PK: 'IMAGE#a0000000-0000-4000-8000-000000000001', SK: 'RECEIPT#1', TYPE: 'RECEIPT' },
  );
});

afterAll(() => table.close());

async function list(after?: ReceiptIdentity) {
  const invalid = { count: 0 };
  const logger = new RecordingLogger();
  const receipts = await collect(listReceipts(table, after, invalid, logger));
  return { receipts, invalid: invalid.count, keys: logger.keys };
}

describe('listing all receipts', () => {
  it('gives each receipt once, over all pages, and skips, logs and counts what can not be read', async () => {
    const { receipts, invalid, keys } = await list();

    expect(receipts.toSorted(compareReceipts)).toStrictEqual(identities.toSorted(compareReceipts));
    expect(invalid).toBe(2);
    expect(keys).toHaveLength(2);
    expect(keys).toStrictEqual(
      expect.arrayContaining([
        { PK: 'IMAGE#not-a-uuid', SK: 'RECEIPT#00001' },
        { PK: 'IMAGE#a0000000-0000-4000-8000-000000000001', SK: 'RECEIPT#1' },
      ]),
    );
  });

  it('goes on behind any of them, without holes and without repeats', async () => {
    const { receipts: all } = await list();
    for (const [at, after] of all.entries()) {
      expect((await list(after)).receipts).toStrictEqual(all.slice(at + 1));
    }
  });
});
