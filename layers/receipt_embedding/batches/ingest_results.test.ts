import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  base64Of,
  BATCH_ID,
  lineId,
  OTHER_BATCH_ID,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import {
  aLabel,
  aLine,
  aMetadata,
  aWord,
  IMAGE_ID,
  RECEIPT,
} from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import type { BatchType } from '../entities/batch.ts';
import type { ReceiptIdentity, Row } from '../entities/keys.ts';
import type { ReceiptWord } from '../entities/line_and_word.ts';
import type {
  RefusedRecord,
  VectorCollection,
  VectorRecord,
  VectorStore,
} from '../stores/vector_store.ts';
import type { ClaimOwner } from '../table/embedding_claims.ts';
import { readReceiptContents } from '../table/receipt_contents.ts';
import type { PartRow } from './batch_files.ts';
import {
  matchResults,
  type ReadReceipt,
  upsertEmbeddingsToPinecone,
  writeEmbeddingResultsToDynamo,
} from './ingest_results.ts';
import { readBatchResults } from './mark_batch_complete.ts';

const contents = {
  lines: [aLine()],
  words: [aWord({ text: 'WHOLE' }), aWord({ word_id: 2 })],
  labels: [],
  metadata: aMetadata({ canonical_merchant_name: 'Corner Market' }),
};

const items = embeddingItems(contents, 'Corner Market', 'batch');

/** What is upserted of these rows. */
async function upsert(
  type: BatchType,
  rows: readonly PartRow[],
  refused: readonly RefusedRecord[] = [],
) {
  const upserts: { collection: VectorCollection; records: readonly VectorRecord[] }[] = [];
  const logger = new RecordingLogger();
  const { vectors: count, changed } = await upsertEmbeddingsToPinecone(type, rows, {
    readReceipt: () => Promise.resolve(contents),
    store: {
      upsert: (collection, records) => {
        upserts.push({ collection, records });
        return Promise.resolve({ stored: records.length - refused.length, refused });
      },
    },
    logger,
  });
  return { count, upserts, changed, warnings: logger.entries.length };
}

const vector = Float32Array.of(0.1, -2.5);

const embedding = base64Of(vector);

describe('upserting the vectors of a batch', () => {
  it('gives the words their vectors and the metadata that they have now', async () => {
    const rows = items.words.map(({ id, entity }) => ({
      custom_id: id,
      text: entity.text,
      embedding,
    }));

    expect(await upsert('WORD_EMBEDDING', rows)).toStrictEqual({
      count: 2,
      upserts: [
        {
          collection: 'words',
          records: items.words.map(({ id, metadata }) => ({ id, vector, metadata })),
        },
      ],
      changed: undefined,
      warnings: 0,
    });
  });

  it('puts lines into a collection of their own', async () => {
    const { upserts } = await upsert('LINE_EMBEDDING', [{ custom_id: lineId(), embedding }]);

    expect(upserts).toStrictEqual([
      {
        collection: 'lines',
        records: items.lines.map(({ id, metadata }) => ({ id, vector, metadata })),
      },
    ]);
  });

  it('leaves out what was refused, without a word, and what is gone, with a warning', async () => {
    const rows = [
      { custom_id: wordId(), text: 'WHOLE', refused: '400 too long' },
      { custom_id: wordId({ word_id: 2 }), text: 'MILK', embedding },
      { custom_id: wordId({ word_id: 3 }), text: 'GONE', embedding },
    ];

    const { count, upserts, warnings } = await upsert('WORD_EMBEDDING', rows);

    expect([count, warnings]).toStrictEqual([1, 1]);
    expect(upserts[0]?.records.map(({ id }) => id)).toStrictEqual([wordId({ word_id: 2 })]);
  });

  it('notes in the part what the store refused, and why; all others stay as they are', async () => {
    const rows = [1, 2].map((word_id) => ({ custom_id: wordId({ word_id }), embedding }));

    const { count, changed, warnings } = await upsert('WORD_EMBEDDING', rows, [
      { id: wordId({ word_id: 2 }), reason: 'its metadata takes 41000 bytes' },
    ]);

    expect([count, warnings]).toStrictEqual([1, 1]);
    expect(changed).toStrictEqual([
      rows[0],
      { ...rows[1], refused: 'its metadata takes 41000 bytes' },
    ]);
  });

  it('does not offer a store again what it has refused', async () => {
    const rows = [{ custom_id: wordId(), embedding, refused: 'its metadata takes 41000 bytes' }];

    const { count, upserts, changed } = await upsert('WORD_EMBEDDING', rows);

    expect([count, upserts[0]?.records, changed]).toStrictEqual([0, [], undefined]);
  });

  it('ends with what the store ends with', async () => {
    const store: Pick<VectorStore, 'upsert'> = {
      upsert: () => Promise.reject(new Error('unavailable')),
    };
    const upserting = upsertEmbeddingsToPinecone('WORD_EMBEDDING', [], {
      readReceipt: () => Promise.resolve(contents),
      store,
      logger: new RecordingLogger(),
    });

    expect((await rejection(upserting)).message).toBe('unavailable');
  });
});

describe('write results', () => {
  let table: ReceiptTable;

  beforeAll(async () => {
    table = await ReceiptTable.start();
  });

  afterAll(() => table.close());

  const embedding = 'AACAPw==';
  let batches = 0;
  let batchId = BATCH_ID;

  beforeEach(() => {
    batches++;
    batchId = `0b7e3f3a-1111-4222-8333-${String(batches).padStart(12, '0')}`;
  });

  /** The row of a word that somebody has claimed, an older system where it is nobody. */
  function claimed(word_id: number, owner: ClaimOwner, changes: Partial<ReceiptWord> = {}): Row {
    const row = rowOf.word(aWord({ word_id, embedding_status: 'PENDING', ...changes }));
    return owner === undefined ? row : { ...row, embedding_batch_id: owner };
  }

  async function write(
    rows: readonly PartRow[],
    { owner }: { owner: ClaimOwner } = { owner: batchId },
  ) {
    const logger = new RecordingLogger();
    const count = await writeEmbeddingResultsToDynamo(batchId, owner, rows, {
      table,
      readReceipt: (receipt) => readReceiptContents(table, receipt, logger),
      logger,
    });
    return { count, warnings: logger.entries.map(({ fields }) => fields?.['first_keys']) };
  }

  /** The status and owner of words 1, 2, … */
  async function statuses(count: number): Promise<unknown[][]> {
    const rows = Array.from({ length: count }, (_, at) =>
      table.get(rowOf.word(aWord({ word_id: at + 1 }))),
    );
    return (await Promise.all(rows)).map((row) =>
      row === undefined ? [] : [row['embedding_status'], row['GSI1PK'], row['embedding_batch_id']],
    );
  }

  const done = (status: string): unknown[] => [status, `EMBEDDING_STATUS#${status}`, undefined];
  const partRow = (word_id: number, of: Partial<PartRow> = { embedding }): PartRow => ({
    custom_id: wordId({ word_id }),
    text: 'MILK',
    ...of,
  });

  describe('recording the results of a batch', () => {
    it('makes FAILED what a store refused, although OpenAI has embedded it', async () => {
      await table.put(claimed(1, batchId));

      await write([partRow(1, { embedding, refused: 'its metadata takes 41000 bytes' })]);

      expect(await statuses(1)).toStrictEqual([done('FAILED')]);
      const key = {
        PK: `BATCH#${batchId}`,
        SK: `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#001#WORD#001`,
      };
      expect(await table.get(key)).toMatchObject({
        status: 'FAILED',
        error_message: 'its metadata takes 41000 bytes',
      });
    });

    it('makes what was embedded SUCCESS and what was refused FAILED, each with a row of its own', async () => {
      await table.put(claimed(1, batchId), claimed(2, batchId));

      expect(await write([partRow(1), partRow(2, { refused: '400 too long' })])).toStrictEqual({
        count: 2,
        warnings: [],
      });
      expect(await statuses(2)).toStrictEqual([done('SUCCESS'), done('FAILED')]);
      const key = {
        PK: `BATCH#${batchId}`,
        SK: `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#001#WORD#002`,
      };
      expect(await table.get(key)).toStrictEqual({
        ...key,
        TYPE: 'EMBEDDING_BATCH_RESULT',
        GSI2PK: `BATCH#${batchId}`,
        GSI2SK: 'STATUS#FAILED',
        GSI3PK: `IMAGE#${IMAGE_ID}#RECEIPT#00001`,
        GSI3SK: `BATCH#${batchId}#STATUS#FAILED`,
        image_id: IMAGE_ID,
        pinecone_id: wordId({ word_id: 2 }),
        text: 'MILK',
        status: 'FAILED',
        error_message: '400 too long',
      });
    });

    it('a second time changes nothing, and counts the same', async () => {
      await table.put(claimed(1, batchId), claimed(2, batchId));
      const rows = [partRow(1), partRow(2, { refused: '400 too long' })];
      const first = await write(rows);
      const before = [await statuses(2), await readBatchResults(table, batchId)];

      expect(await write(rows)).toStrictEqual(first);
      expect([await statuses(2), await readBatchResults(table, batchId)]).toStrictEqual(before);
    });

    it('gives no row to what is edited or gone, and leaves it as it is', async () => {
      const edited = claimed(1, batchId, { text: 'MILKY' });
      await table.put(edited, claimed(2, batchId));

      expect(
        await write([partRow(1), partRow(2), partRow(3), partRow(4, { refused: '400' })]),
      ).toStrictEqual({
        count: 1,
        warnings: [[1, 3, 4].map((word_id) => wordId({ word_id }))],
      });
      expect(await table.get(edited)).toStrictEqual(edited);
      expect(await readBatchResults(table, batchId)).toStrictEqual(
        new Map([[wordId({ word_id: 2 }), 'SUCCESS']]),
      );
    });

    it('gives no row to what is edited between reading and writing', async () => {
      await table.put(claimed(1, batchId));
      const logger = new RecordingLogger();

      const count = await writeEmbeddingResultsToDynamo(batchId, batchId, [partRow(1)], {
        table,
        readReceipt: async (receipt) => {
          const contents = await readReceiptContents(table, receipt, logger);
          await table.put(claimed(1, batchId, { text: 'MILKY' }));
          return contents;
        },
        logger,
      });

      expect(count).toBe(0);
      expect(await statuses(1)).toStrictEqual([['PENDING', 'EMBEDDING_STATUS#PENDING', batchId]]);
      expect(await readBatchResults(table, batchId)).toStrictEqual(new Map());
    });

    it('never takes SUCCESS back, and leaves another batch its claim', async () => {
      await table.put(
        claimed(1, undefined, { embedding_status: 'SUCCESS' }),
        claimed(2, undefined, { embedding_status: 'SUCCESS' }),
        claimed(3, OTHER_BATCH_ID),
        claimed(4, OTHER_BATCH_ID),
      );
      const before = await statuses(4);

      const refused = { refused: '400 too long' };
      await write([partRow(1), partRow(2, refused), partRow(3), partRow(4, refused)]);

      expect(await statuses(4)).toStrictEqual(before);
    });

    it('of an older system settles claims that have no owner, and no other ones', async () => {
      await table.put(claimed(1, undefined), claimed(2, undefined), claimed(3, OTHER_BATCH_ID));
      const refused = '400 too long';
      const rows = [
        { custom_id: wordId(), embedding },
        { custom_id: wordId({ word_id: 2 }), refused },
        { custom_id: wordId({ word_id: 3 }), refused },
      ];

      const { count } = await write(rows, { owner: undefined });

      expect(count).toBe(3);
      expect(await statuses(3)).toStrictEqual([
        done('SUCCESS'),
        done('FAILED'),
        ['PENDING', 'EMBEDDING_STATUS#PENDING', OTHER_BATCH_ID],
      ]);
    });

    it('has nothing to do for nothing', async () => {
      expect(await write([])).toStrictEqual({ count: 0, warnings: [] });
    });
  });
});

describe('match results', () => {
  const embedding = 'AACAPw==';
  const nothing = { lines: [], words: [], labels: [], metadata: undefined };

  /** The contents of receipt 1 and nothing elsewhere, with the receipts that were read. */
  function receipts(contents: Partial<Awaited<ReturnType<ReadReceipt>>> = {}) {
    const read: ReceiptIdentity[] = [];
    const readReceipt: ReadReceipt = (receipt) => {
      read.push(receipt);
      return Promise.resolve(
        receipt.receipt_id === 1
          ? { ...nothing, lines: [aLine()], words: [aWord(), aWord({ word_id: 2 })], ...contents }
          : nothing,
      );
    };
    return { read, readReceipt };
  }

  async function match(
    rows: readonly PartRow[],
    contents: Partial<Awaited<ReturnType<ReadReceipt>>> = {},
  ) {
    const logger = new RecordingLogger();
    const { read, readReceipt } = receipts(contents);
    const matched = await matchResults(rows, readReceipt, logger);
    return { matched, read, entries: logger.entries };
  }

  describe('bringing results together with their lines and words', () => {
    it('gives each what its line or word is now, and reads a receipt once', async () => {
      const rows = [
        { custom_id: wordId({ word_id: 2 }), text: 'MILK', embedding },
        { custom_id: lineId(), embedding },
        { custom_id: wordId(), text: 'MILK', refused: '400 too long' },
      ];

      const { matched, read, entries } = await match(rows, {
        labels: [aLabel()],
        metadata: aMetadata(),
      });

      expect(
        matched.map(({ row, item }) => [row.custom_id, item.id, item.entity.text]),
      ).toStrictEqual([
        [wordId({ word_id: 2 }), wordId({ word_id: 2 }), 'MILK'],
        [lineId(), lineId(), 'WHOLE MILK 3.99'],
        [wordId(), wordId(), 'MILK'],
      ]);
      expect(matched.map(({ row }) => row)).toStrictEqual(rows);
      expect(matched[2]?.item.metadata).toMatchObject({
        source: 'openai_embedding_batch',
        merchant_name: 'Corner Market #12',
        label_status: 'validated',
        validated_labels: ['PRODUCT_NAME'],
      });
      expect(read).toStrictEqual([RECEIPT]);
      expect(entries).toStrictEqual([]);
    });

    it.each([
      ['deleted', { words: [] }],
      ['edited', { words: [aWord({ text: 'MILKY' })] }],
      ['noise by now', { words: [aWord({ is_noise: true })] }],
      ['of the status NOISE', { words: [aWord({ embedding_status: 'NOISE' })] }],
      ['blank by now', { words: [aWord({ text: ' ' })] }],
    ] as const)('leaves out what is %s, and logs its key without its text', async (_, contents) => {
      const kept = { custom_id: lineId(), text: 'WHOLE MILK 3.99', embedding };
      const rows = [{ custom_id: wordId(), text: 'MILK', embedding }, kept];

      const { matched, entries } = await match(rows, contents);

      expect(matched.map(({ row }) => row)).toStrictEqual([kept]);
      expect(entries).toStrictEqual([
        {
          level: 'warn',
          message: 'results are of lines or words that are gone or edited, and are left out',
          fields: { count: 1, first_keys: [wordId()] },
        },
      ]);
    });

    it('takes what an older system has embedded as it is now, whose text nobody kept', async () => {
      const rows = [{ custom_id: wordId(), embedding }];

      const { matched } = await match(rows, { words: [aWord({ text: 'MILKY' })] });

      expect(matched.map(({ item }) => item.entity.text)).toStrictEqual(['MILKY']);
    });

    it('names no more than 20 keys of many, of receipts that are gone and of ids that are none', async () => {
      const rows = Array.from({ length: 30 }, (_, at) => ({
        custom_id: at === 0 ? 'nonsense' : wordId({ receipt_id: at + 1 }),
        embedding,
      }));

      const { matched, entries, read } = await match(rows);

      expect(matched).toStrictEqual([]);
      expect(read).toHaveLength(29);
      expect(entries.map(({ fields }) => fields)).toStrictEqual([
        { count: 30, first_keys: rows.slice(0, 20).map(({ custom_id }) => custom_id) },
      ]);
    });

    it('has nothing to read for nothing', async () => {
      expect(await match([])).toStrictEqual({ matched: [], read: [], entries: [] });
    });

    it('ends with what reading ends with', async () => {
      const readReceipt: ReadReceipt = () => Promise.reject(new Error('throttled'));
      const rows = [{ custom_id: wordId(), embedding }];

      const matching = matchResults(rows, readReceipt, new RecordingLogger());

      expect((await rejection(matching)).message).toBe('throttled');
    });
  });
});
