import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_ID, OTHER_BATCH_ID, wordId } from '../../../tests/support/batch_factory.ts';
import { aWord, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { readBatchResults } from '../dynamodb/batch_results.ts';
import type { ClaimOwner } from '../dynamodb/embedding_claims.ts';
import { readReceiptContents } from '../dynamodb/receipt_contents.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import type { Row } from '../entities/row.ts';
import type { PartRow } from './part_row.ts';
import { writeEmbeddingResultsToDynamo } from './write_results.ts';

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
