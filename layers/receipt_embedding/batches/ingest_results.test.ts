import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  base64Of,
  BATCH_ID,
  OTHER_BATCH_ID,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import { aLine, aWord, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import type { Row } from '../entities/keys.ts';
import type { ReceiptWord } from '../entities/line_and_word.ts';
import type { RefusedRecord, VectorCollection, VectorRecord } from '../stores/vector_store.ts';
import type { ClaimOwner } from '../table/embedding_claims.ts';
import type { PartRecord } from './batch_files.ts';
import { upsertEmbeddings, writeEmbeddingResultsToDynamo } from './ingest_results.ts';
import { readBatchResults } from './mark_batch_complete.ts';

describe('upserting the vectors of a part', () => {
  const vector = Float32Array.of(0.1, -2.5);
  const { lines, words } = embeddingItems(
    { lines: [aLine()], words: [aWord(), aWord({ word_id: 2 })], labels: [] },
    'Corner Market',
    'batch',
  );
  const recordOf = ({ id, entity, metadata }: (typeof lines | typeof words)[number]) => ({
    id,
    text: entity.text,
    sequence: 1,
    embedding: base64Of(vector),
    metadata: { ...metadata },
  });

  it.each([
    ['WORD_EMBEDDING', 'words', words],
    ['LINE_EMBEDDING', 'lines', lines],
  ] as const)(
    'of a %s gives the store’s %s their vectors and metadata',
    async (type, name, items) => {
      const upserts: [VectorCollection, readonly VectorRecord[]][] = [];
      const upserted = await upsertEmbeddings(type, items.map(recordOf), {
        store: {
          upsert: (collection, records) => {
            upserts.push([collection, records]);
            return Promise.resolve({ stored: records.length, refused: [] });
          },
        },
        logger: new RecordingLogger(),
      });

      expect(upserted).toStrictEqual({ stored: items.length, refused: [] });
      expect(upserts).toStrictEqual([
        [name, items.map(({ id, metadata }) => ({ id, vector, metadata }))],
      ]);
    },
  );

  it('leaves out what OpenAI refused, and tells what the store refuses', async () => {
    const logger = new RecordingLogger();
    const refused = [{ id: wordId(), reason: 'its metadata takes 41000 bytes' }];

    const upserted = await upsertEmbeddings(
      'WORD_EMBEDDING',
      [
        ...words.map(recordOf),
        { id: wordId({ word_id: 3 }), text: 'BAD', sequence: 1, refused: '400' },
      ],
      {
        store: { upsert: (_, records) => Promise.resolve({ stored: records.length - 1, refused }) },
        logger,
      },
    );

    expect(upserted).toStrictEqual({ stored: 1, refused });
    expect(logger.entries.map(({ fields }) => fields)).toStrictEqual([
      { count: 1, first: refused },
    ]);
  });

  it('ends with what the store ends with', async () => {
    const upserting = upsertEmbeddings('WORD_EMBEDDING', words.map(recordOf), {
      store: { upsert: () => Promise.reject(new Error('unavailable')) },
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
    records: readonly PartRecord[],
    { owner, refused = [] }: { owner: ClaimOwner; refused?: readonly RefusedRecord[] } = {
      owner: batchId,
    },
  ): Promise<number> {
    const refusedBy = new Map([['pinecone' as const, refused]]);
    return await writeEmbeddingResultsToDynamo(batchId, owner, records, { table, refusedBy });
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
  const record = (word_id: number, of: Partial<PartRecord> = { embedding }): PartRecord => ({
    id: wordId({ word_id }),
    text: 'MILK',
    sequence: 1,
    ...of,
  });

  describe('recording the results of a batch', () => {
    it('makes FAILED what a store refused, although OpenAI has embedded it', async () => {
      await table.put(claimed(1, batchId));

      const refused = [{ id: wordId(), reason: 'its metadata takes 41000 bytes' }];
      await write([record(1)], { owner: batchId, refused });

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

      expect(await write([record(1), record(2, { refused: '400 too long' })])).toBe(2);
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
      const records = [record(1), record(2, { refused: '400 too long' })];
      const first = await write(records);
      const before = [await statuses(2), await readBatchResults(table, batchId)];

      expect(await write(records)).toBe(first);
      expect([await statuses(2), await readBatchResults(table, batchId)]).toStrictEqual(before);
    });

    it('gives no row to what is edited or gone, and leaves it as it is', async () => {
      const edited = claimed(1, batchId, { text: 'MILKY' });
      await table.put(edited, claimed(2, batchId));

      expect(await write([record(1), record(2), record(3), record(4, { refused: '400' })])).toBe(1);
      expect(await table.get(edited)).toStrictEqual(edited);
      expect(await readBatchResults(table, batchId)).toStrictEqual(
        new Map([[wordId({ word_id: 2 }), 'SUCCESS']]),
      );
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
      await write([record(1), record(2, refused), record(3), record(4, refused)]);

      expect(await statuses(4)).toStrictEqual(before);
    });

    it('of an older system settles claims that have no owner, and no other ones', async () => {
      await table.put(claimed(1, undefined), claimed(2, undefined), claimed(3, OTHER_BATCH_ID));
      const refused = '400 too long';
      const records = [record(1), record(2, { refused }), record(3, { refused })];

      expect(await write(records, { owner: undefined })).toBe(3);
      expect(await statuses(3)).toStrictEqual([
        done('SUCCESS'),
        done('FAILED'),
        ['PENDING', 'EMBEDDING_STATUS#PENDING', OTHER_BATCH_ID],
      ]);
    });

    it('has nothing to do for nothing', async () => {
      expect(await write([])).toBe(0);
    });
  });
});
