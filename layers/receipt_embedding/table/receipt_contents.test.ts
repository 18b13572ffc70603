import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import {
  aLabel,
  aLine,
  aMetadata,
  aReceipt,
  aWord,
  IMAGE_ID,
  RECEIPT,
} from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { without } from '../../../tests/support/without.ts';
import type { Row } from '../entities/keys.ts';
import { readReceiptContents } from './receipt_contents.ts';
import { receiptsWithStatus, SHARDS } from './receipt_listing.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const PK = `IMAGE#${IMAGE_ID}`;

/** What is on receipt `receipt_id` of the image. */
function read(receipt_id: number, logger = new RecordingLogger()) {
  return readReceiptContents(table, { image_id: IMAGE_ID, receipt_id }, logger);
}

describe('reading a receipt', () => {
  it('gives its lines, words, labels and metadata, and nothing of its neighbours', async () => {
    const of = { receipt_id: 1 };
    const lines = [10, 2, 1].map((line_id) => aLine({ ...of, line_id }));
    const words = [
      [2, 1],
      [1, 10],
      [1, 2],
    ].map(([line_id = 0, word_id = 0]) => aWord({ ...of, line_id, word_id }));
    const label = aLabel({ ...of, line_id: 1, word_id: 2 });
    await table.put(
      ...lines.map(rowOf.line),
      ...words.map(rowOf.word),
      rowOf.label(label),
      rowOf.metadata(aMetadata(of)),
      rowOf.receipt(aReceipt(of)),
      {
        PK,
        SK: 'RECEIPT#00001#LINE#00001#WORD#00002#LETTER#00001',
        TYPE: 'RECEIPT_LETTER',
        text: 'M',
      },
      rowOf.line(aLine({ receipt_id: 11 })),
      rowOf.word(aWord({ receipt_id: 11 })),
      rowOf.label(aLabel({ receipt_id: 11 })),
      rowOf.metadata(aMetadata({ receipt_id: 11 })),
    );
    const logger = new RecordingLogger();

    expect(await read(1, logger)).toStrictEqual({
      lines: lines.toReversed(),
      words: words.toReversed(),
      labels: [label],
      metadata: aMetadata(of),
      invalid_rows: [],
      ignored_attributes: 0,
    });
    expect(logger.entries).toStrictEqual([]);
  });

  it('gives nothing for a receipt that there is not', async () => {
    expect(await read(404)).toStrictEqual({
      lines: [],
      words: [],
      labels: [],
      metadata: undefined,
      invalid_rows: [],
      ignored_attributes: 0,
    });
  });

  it('skips, logs and counts rows that can not be read, and never says what is in them', async () => {
    const of = { receipt_id: 2 };
    const [line, word, label] = [aLine(of), aWord(of), aLabel(of)];
    await table.put(
      rowOf.line(line),
      { ...rowOf.line(aLine({ ...of, line_id: 2, text: 'SECRET' })), embedding_status: 'SECRET' },
      rowOf.word(word),
      {
        ...rowOf.word(aWord({ ...of, word_id: 2, text: 'SECRET' })),
        bounding_box: 'SECRET',
        top_left: 'SECRET',
      },
      rowOf.label(label),
      { ...rowOf.label(aLabel({ ...of, word_id: 2 })), validation_status: 'SECRET' },
      { ...rowOf.metadata(aMetadata(of)), TYPE: 'SECRET' },
    );
    const logger = new RecordingLogger();
    const keys = [
      { PK, SK: 'RECEIPT#00002#LINE#00002' },
      { PK, SK: 'RECEIPT#00002#LINE#00001#WORD#00002' },
      { PK, SK: 'RECEIPT#00002#LINE#00001#WORD#00002#LABEL#PRODUCT_NAME' },
      { PK, SK: 'RECEIPT#00002#METADATA' },
    ];

    expect(await read(2, logger)).toStrictEqual({
      lines: [line],
      words: [word],
      labels: [label],
      metadata: undefined,
      invalid_rows: keys,
      ignored_attributes: 0,
    });
    expect(logger.keys).toHaveLength(4);
    expect(logger.keys).toStrictEqual(expect.arrayContaining(keys));
    expect(JSON.stringify(logger.entries)).not.toContain('SECRET');
  });

  it('reads rows whose annotations are in odd forms without those, which it counts and never quotes', async () => {
    const of = { receipt_id: 5 };
    const point = { x: 'SECRET' };
    const [line, word, label] = [aLine(of), aWord(of), aLabel(of)];
    await table.put(
      { ...rowOf.line(line), angle_degrees: 'SECRET', confidence: 1.2, top_left: point },
      {
        ...rowOf.line(aLine({ ...of, line_id: 2 })),
        bounding_box: 'SECRET',
        angle_radians: null,
      },
      {
        ...rowOf.word(word),
        extracted_data: { type: 'price', value: 'SECRET' },
        ...Object.fromEntries(
          ['top_left', 'top_right', 'bottom_left', 'bottom_right'].map((name) => [name, point]),
        ),
      },
      { ...rowOf.word(aWord({ ...of, word_id: 2 })), extracted_data: 'SECRET' },
      {
        ...rowOf.label(label),
        timestamp_added: 'SECRET',
        label_proposed_by: 7,
        reasoning: ['SECRET'],
      },
      { ...rowOf.metadata(aMetadata(of)), canonical_merchant_name: 7, merchant_name: 'SHOP' },
    );
    const logger = new RecordingLogger();

    const { lines, words, labels, metadata, ...counts } = await read(5, logger);

    expect(counts).toStrictEqual({ invalid_rows: [], ignored_attributes: 15 });
    expect(lines).toStrictEqual([
      { ...line, angle_degrees: expect.closeTo(1.49, 1) as number, confidence: 0 },
      {
        ...aLine({ ...of, line_id: 2 }),
        bounding_box: {
          x: 0.1,
          y: 0.5,
          width: expect.closeTo(0.8, 9) as number,
          height: expect.closeTo(0.02, 9) as number,
        },
        angle_radians: expect.closeTo(0.026, 3) as number,
      },
    ]);
    expect(words).toStrictEqual([word, aWord({ ...of, word_id: 2 })]);
    expect(labels).toStrictEqual([{ ...label, timestamp_added: null }]);
    expect(metadata).toStrictEqual(aMetadata({ ...of, merchant_name: 'SHOP' }));
    expect(logger.entries.map(({ message }) => message)).toStrictEqual(
      Array(4).fill('attributes that can not be read are ignored, their rows are not'),
    );
    expect(JSON.stringify(logger.entries)).not.toContain('SECRET');
  });

  it('reads all of a receipt that is larger than a page of DynamoDB', async () => {
    const text = 'x'.repeat(300_000);
    const words = [1, 2, 3, 4, 5].map((word_id) => aWord({ receipt_id: 3, word_id, text }));
    await table.put(...words.map(rowOf.word));

    const { words: found } = await read(3);

    expect(found.map(({ word_id }) => word_id)).toStrictEqual([1, 2, 3, 4, 5]);
  });

  it('reads legacy rows: no status, no noise flag, no ids, an index key without its prefix', async () => {
    const line = aLine({ receipt_id: 4 });
    const row = rowOf.line(line);
    const missing = ['embedding_status', 'is_noise', 'image_id', 'receipt_id', 'line_id'] as const;
    await table.put({ ...(without(row, ...missing) as Row), GSI1SK: `${row.PK}#${row.SK}` });

    expect((await read(4)).lines).toStrictEqual([{ ...line, status_missing: true }]);
  });
});

describe('a number of more digits than a double has', () => {
  it('is read as the nearest double, and does not fail the query', async () => {
    const line = aLine({ receipt_id: 9 });
    await table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: { ...marshall(rowOf.line(line)), angle_degrees: { N: '12345678901234567890.5' } },
      }),
    );

    const { lines } = await readReceiptContents(
      table,
      { ...RECEIPT, receipt_id: 9 },
      new RecordingLogger(),
    );

    expect(lines).toStrictEqual([{ ...line, angle_degrees: 12345678901234567000 }]);
  });
});

describe('a receipt of which a row has the status and an annotation in an odd form', () => {
  it('is listed, since that row is embedded', async () => {
    await table.put({
      ...rowOf.word(aWord({ receipt_id: 6, embedding_status: 'FAILED' })),
      confidence: 1.2,
    });
    const invalid = { count: 0 };
    const logger = new RecordingLogger();
    const listing = { table, status: 'FAILED' as const, after: undefined, invalid, logger };

    const found = [];
    for (const shard of SHARDS) found.push(...(await collect(receiptsWithStatus(listing, shard))));

    expect(found).toContainEqual({ image_id: IMAGE_ID, receipt_id: 6 });
    expect(invalid.count).toBe(0);
    await table.put({ ...rowOf.word(aWord({ receipt_id: 6 })), GSI1PK: 'none' });
  });
});

describe('a receipt of which only an unreadable row has the status', () => {
  it('is not listed, since processing it would never change that', async () => {
    const row = { ...rowOf.word(aWord({ embedding_status: 'FAILED' })), is_noise: 'no' };
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
