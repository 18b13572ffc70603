import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aBatch,
  BATCH_ID,
  lineId,
  OTHER_BATCH_ID,
  rowOfBatch,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import { IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import type { EmbeddingBatchResult } from '../entities/embedding_batch_result.ts';
import { putBatchResults, readBatchResults } from './batch_results.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

function aResult(changes: Partial<EmbeddingBatchResult> = {}): EmbeddingBatchResult {
  return {
    batch_id: BATCH_ID,
    image_id: IMAGE_ID,
    pinecone_id: wordId(),
    text: 'MILK',
    status: 'SUCCESS',
    error_message: null,
    ...changes,
  };
}

describe('the results of a batch', () => {
  it('are read by their vector ids, and no other batch’s nor its summary with them', async () => {
    const results = [
      aResult(),
      aResult({ pinecone_id: wordId({ word_id: 2 }), status: 'FAILED', error_message: '400' }),
      aResult({ pinecone_id: lineId({ line_id: 1_000 }) }),
    ];
    await table.put(rowOfBatch(aBatch()));

    expect(await putBatchResults(table, results)).toBe(3);
    await putBatchResults(table, [aResult({ batch_id: OTHER_BATCH_ID, status: 'FAILED' })]);

    expect(await readBatchResults(table, BATCH_ID)).toStrictEqual(
      new Map([
        [wordId(), 'SUCCESS'],
        [wordId({ word_id: 2 }), 'FAILED'],
        [lineId({ line_id: 1_000 }), 'SUCCESS'],
      ]),
    );
  });

  it('are written over by a second try', async () => {
    const batch_id = '0b7e3f3a-1111-4222-8333-000000000001';
    await putBatchResults(table, [aResult({ batch_id, status: 'FAILED', error_message: '400' })]);
    await putBatchResults(table, [aResult({ batch_id })]);

    expect(await readBatchResults(table, batch_id)).toStrictEqual(new Map([[wordId(), 'SUCCESS']]));
    expect(
      await table.get({
        PK: `BATCH#${batch_id}`,
        SK: `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#001#WORD#001`,
      }),
    ).toStrictEqual({
      PK: `BATCH#${batch_id}`,
      SK: `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#001#WORD#001`,
      TYPE: 'EMBEDDING_BATCH_RESULT',
      GSI2PK: `BATCH#${batch_id}`,
      GSI2SK: 'STATUS#SUCCESS',
      GSI3PK: `IMAGE#${IMAGE_ID}#RECEIPT#00001`,
      GSI3SK: `BATCH#${batch_id}#STATUS#SUCCESS`,
      image_id: IMAGE_ID,
      pinecone_id: wordId(),
      text: 'MILK',
      status: 'SUCCESS',
      error_message: null,
    });
  });

  it('are all read, also those that do not fit into one answer', async () => {
    const batch_id = '0b7e3f3a-1111-4222-8333-000000000002';
    const results = [1, 2, 3, 4].map((word_id) =>
      aResult({ batch_id, pinecone_id: wordId({ word_id }), text: 'x'.repeat(300_000) }),
    );

    expect(await putBatchResults(table, results)).toBe(4);
    expect((await readBatchResults(table, batch_id)).size).toBe(4);
  });

  it('are none of nothing', async () => {
    expect(await putBatchResults(table, [])).toBe(0);
    expect(await readBatchResults(table, '0b7e3f3a-1111-4222-8333-000000000003')).toStrictEqual(
      new Map(),
    );
  });
});
