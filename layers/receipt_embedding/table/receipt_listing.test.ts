import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import { aLine, aReceipt, aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { without } from '../../../tests/support/without.ts';
import { compareReceipts, type ReceiptIdentity, type Row } from '../entities/keys.ts';
import type { EmbeddingStatus } from '../entities/line_and_word.ts';
import { listReceipts, receiptsWithStatus, SHARDS } from './receipt_listing.ts';

describe('receipt listing', () => {
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

      expect(receipts.toSorted(compareReceipts)).toStrictEqual(
        identities.toSorted(compareReceipts),
      );
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
});

describe('status listing', () => {
  let table: ReceiptTable;

  afterAll(() => table.close());

  /** A receipt by two characters, the first of which is its shard. */
  function receipt(name: string, receipt_id = 1): ReceiptIdentity {
    return { image_id: `${name}000000-0000-4000-8000-000000000000`, receipt_id };
  }

  /** A legacy row, whose index key has no `LINE#` or `WORD#`. */
  function unprefixed(row: Row): Row {
    return { ...row, GSI1SK: `${row.PK}#${row.SK}` };
  }

  const big = 'x'.repeat(300_000);

  beforeAll(async () => {
    table = await ReceiptTable.start();
    await table.put(
      // Found, once each, however many rows they have.
      rowOf.line(aLine(receipt('3a'))),
      rowOf.word(aWord(receipt('3a'))),
      rowOf.word(aWord({ ...receipt('3a'), word_id: 2 })),
      rowOf.word(aWord(receipt('3a', 2))),
      rowOf.line(aLine(receipt('3B'))),
      unprefixed(rowOf.line(aLine(receipt('3b')))),
      unprefixed(rowOf.word(aWord(receipt('3C')))),
      without(rowOf.line(aLine(receipt('3d'))), 'embedding_status') as Row,
      without(rowOf.line(aLine(receipt('3e'))), 'is_noise') as Row,
      ...[1, 2, 3, 4, 5].map((word_id) =>
        rowOf.word(aWord({ ...receipt('Ab'), word_id, text: big })),
      ),
      rowOf.line(aLine(receipt('ab'))),
      // Not to do, or not with this status.
      rowOf.line(aLine({ ...receipt('31'), is_noise: true })),
      rowOf.word(aWord({ ...receipt('31'), text: '  ' })),
      rowOf.line(aLine({ ...receipt('31'), line_id: 2, text: '' })),
      rowOf.line(aLine({ ...receipt('32'), embedding_status: 'SUCCESS' })),
      { ...rowOf.line(aLine(receipt('33'))), embedding_status: 'SUCCESS' },
      rowOf.line(aLine({ ...receipt('34'), embedding_status: 'PENDING' })),
      rowOf.word(aWord({ ...receipt('34'), embedding_status: 'FAILED' })),
      // Unreadable.
      { ...rowOf.line(aLine(receipt('35'))), TYPE: 'RECEIPT_LETTER' },
      { ...rowOf.word(aWord(receipt('36'))), text: 7 },
      { ...rowOf.word(aWord(receipt('37'))), SK: 'RECEIPT#1' },
    );
  });

  const everything = [
    receipt('3B'),
    receipt('3C'),
    receipt('3a'),
    receipt('3a', 2),
    receipt('3b'),
    receipt('3d'),
    receipt('3e'),
    receipt('Ab'),
    receipt('ab'),
  ];

  async function list(status: EmbeddingStatus, after?: ReceiptIdentity, shards = SHARDS) {
    const invalid = { count: 0 };
    const logger = new RecordingLogger();
    const listing = { table, status, after, invalid, logger };
    const receipts: ReceiptIdentity[] = [];
    for (const shard of shards)
      receipts.push(...(await collect(receiptsWithStatus(listing, shard))));
    return { receipts, invalid: invalid.count, keys: logger.keys };
  }

  describe('the receipts with a line or word of a status', () => {
    it('are listed once each, by their keys, image ids of any case, legacy rows among them', async () => {
      expect((await list('NONE')).receipts).toStrictEqual(everything);
    });

    it.each([
      ['SUCCESS', [receipt('32')]],
      ['PENDING', [receipt('34')]],
      ['FAILED', [receipt('34')]],
    ] as const)('with %s are those', async (status, receipts) => {
      expect((await list(status)).receipts).toStrictEqual(receipts);
    });

    it('skip, log and count rows that are no line or word that can be read', async () => {
      const { invalid, keys } = await list('NONE');

      expect(invalid).toBe(3);
      expect(keys).toHaveLength(3);
      expect(keys).toStrictEqual(
        expect.arrayContaining([
          { PK: `IMAGE#${receipt('35').image_id}`, SK: 'RECEIPT#00001#LINE#00001' },
          { PK: `IMAGE#${receipt('36').image_id}`, SK: 'RECEIPT#00001#LINE#00001#WORD#00001' },
          { PK: `IMAGE#${receipt('37').image_id}`, SK: 'RECEIPT#1' },
        ]),
      );
    });

    it('of one shard are those whose image id begins so', async () => {
      expect((await list('NONE', undefined, ['A'])).receipts).toStrictEqual([receipt('Ab')]);
      expect((await list('NONE', undefined, ['a'])).receipts).toStrictEqual([receipt('ab')]);
      expect((await list('NONE', undefined, ['f'])).receipts).toStrictEqual([]);
    });

    it('go on behind any of them, without holes and without repeats', async () => {
      for (const [at, after] of everything.entries()) {
        expect((await list('NONE', after)).receipts).toStrictEqual(everything.slice(at + 1));
      }
    });

    it('go on behind a receipt that has none of the status any more', async () => {
      const { receipts } = await list('NONE', receipt('3C', 7));

      expect(receipts).toStrictEqual(everything.slice(2));
    });
  });
});
