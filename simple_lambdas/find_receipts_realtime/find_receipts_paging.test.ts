import fc from 'fast-check';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { listReceipts, receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aLine, aReceipt, aWord } from '../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../tests/support/recorders.ts';
import { findReceipts, type FindReceiptsInput } from './find_receipts.ts';

let table: ReceiptTable;

// Every shard in either case, some images with several receipts.
const identities: ReceiptIdentity[] = fc
  .sample(fc.tuple(fc.uuid({ version: 4 }), fc.boolean(), fc.integer({ min: 1, max: 3 })), {
    numRuns: 25,
    seed: 7,
  })
  .flatMap(([uuid, upper, receipts]) =>
    Array.from({ length: receipts }, (_, at) => ({
      image_id: upper ? uuid.toUpperCase() : uuid,
      receipt_id: at + 1,
    })),
  );

beforeAll(async () => {
  table = await ReceiptTable.start();
  for (const [at, identity] of identities.entries()) {
    await table.put(rowOf.receipt(aReceipt(identity)));
    const row = at % 3 === 0 ? rowOf.line(aLine(identity)) : rowOf.word(aWord(identity));
    const old = { ...row, GSI1SK: `${row.PK}#${row.SK}` };
    await table.put(at % 5 === 0 ? old : row);
  }
});

afterAll(() => table.close());

async function find(input: FindReceiptsInput) {
  const logger = new RecordingLogger();
  const invalid = { count: 0 };
  const ports = {
    listAll: (after: ReceiptIdentity | undefined) => listReceipts(table, after, invalid, logger),
    listByStatus: (
      status: NonNullable<FindReceiptsInput['filter_by_embedding_status']>,
      shard: string,
      after: ReceiptIdentity | undefined,
    ) => receiptsWithStatus({ table, status, after, invalid, logger }, shard),
    shards: SHARDS,
    invalidRows: () => invalid.count,
    writeManifest: () => Promise.resolve({ bucket: 'b', key: 'k' }),
  };
  return await findReceipts(input, ports, 'request-1');
}

/** All receipts, as a user gets them who goes on page by page until there is no key any more. */
async function findPageByPage(input: FindReceiptsInput, limit: number) {
  const receipts: ReceiptIdentity[] = [];
  let key: ReceiptIdentity | null = null;
  do {
    const page = await find({ ...input, limit, exclusive_start_key: key });

    expect(page.receipts.length).toBeLessThanOrEqual(limit);
    expect(page.receipts.length).toBeGreaterThan(0);
    receipts.push(...page.receipts);
    key = page.last_evaluated_key;
  } while (key !== null);
  return receipts;
}

describe('receipts page by page', () => {
  const key = ({ image_id, receipt_id }: ReceiptIdentity) => `${image_id}#${receipt_id}`;

  it.each([{}, { filter_by_embedding_status: 'NONE' as const }])(
    'are together the whole list, whatever the limit: %j',
    async (input) => {
      const { receipts: whole } = await find(input);

      expect(whole.map(key).toSorted()).toStrictEqual(identities.map(key).toSorted());
      for (const limit of [1, 2, 3, 5, 7, whole.length - 1, whole.length, whole.length + 1]) {
        expect(await findPageByPage(input, limit)).toStrictEqual(whole);
      }
    },
  );
});
