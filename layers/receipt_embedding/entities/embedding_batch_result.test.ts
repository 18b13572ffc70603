import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BATCH_ID, lineId, wordId } from '../../../tests/support/batch_factory.ts';
import { IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { without } from '../../../tests/support/without.ts';
import { embeddingBatchResultCodec, type EmbeddingBatchResult } from './embedding_batch_result.ts';

const result: EmbeddingBatchResult = {
  batch_id: BATCH_ID,
  image_id: IMAGE_ID,
  pinecone_id: wordId({ receipt_id: 2, line_id: 3, word_id: 4 }),
  text: 'MILK',
  status: 'SUCCESS',
  error_message: null,
};

const row = {
  PK: `BATCH#${BATCH_ID}`,
  SK: `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00002#LINE#003#WORD#004`,
  TYPE: 'EMBEDDING_BATCH_RESULT',
  GSI2PK: `BATCH#${BATCH_ID}`,
  GSI2SK: 'STATUS#SUCCESS',
  GSI3PK: `IMAGE#${IMAGE_ID}#RECEIPT#00002`,
  GSI3SK: `BATCH#${BATCH_ID}#STATUS#SUCCESS`,
  image_id: IMAGE_ID,
  pinecone_id: `IMAGE#${IMAGE_ID}#RECEIPT#00002#LINE#00003#WORD#00004`,
  text: 'MILK',
  status: 'SUCCESS',
  error_message: null,
};

describe('the row of a result', () => {
  it('has the keys, indexes and attributes that other readers look for', () => {
    expect(z.encode(embeddingBatchResultCodec, result)).toStrictEqual(row);
  });

  it.each([
    ['a line, which ends there', lineId({ line_id: 7 }), 'RECEIPT#00001#LINE#007'],
    ['a line of four digits', lineId({ line_id: 1_000 }), 'RECEIPT#00001#LINE#1000'],
    [
      'a word of five digits',
      wordId({ line_id: 999, word_id: 12_345 }),
      'RECEIPT#00001#LINE#999#WORD#12345',
    ],
  ])('pads line and word to three digits: %s', (_, pinecone_id, path) => {
    const { SK } = z.encode(embeddingBatchResultCodec, { ...result, pinecone_id });

    expect(SK).toBe(`RESULT#IMAGE#${IMAGE_ID}#${path}`);
  });

  it('says why an input was refused, and is indexed as FAILED', () => {
    const { GSI2SK, GSI3SK, error_message } = z.encode(embeddingBatchResultCodec, {
      ...result,
      status: 'FAILED',
      error_message: '400 too long',
    });

    expect([GSI2SK, GSI3SK, error_message]).toStrictEqual([
      'STATUS#FAILED',
      `BATCH#${BATCH_ID}#STATUS#FAILED`,
      '400 too long',
    ]);
  });

  it('is read as it was written, also without an error message', () => {
    expect(z.decode(embeddingBatchResultCodec, row as never)).toStrictEqual(result);
    expect(
      z.decode(embeddingBatchResultCodec, without(row, 'error_message') as never),
    ).toStrictEqual(result);
  });

  it.each([
    ['the id of a receipt', { pinecone_id: `IMAGE#${IMAGE_ID}#RECEIPT#00001` }],
    ['an id that is none', { pinecone_id: 'word 1' }],
    ['a status that there is not', { status: 'DONE' }],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(embeddingBatchResultCodec, { ...row, ...change } as never).success).toBe(
      false,
    );
    expect(z.safeEncode(embeddingBatchResultCodec, { ...result, ...change } as never).success).toBe(
      false,
    );
  });
});
