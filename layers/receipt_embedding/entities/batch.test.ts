import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aBatch, BATCH_ID, lineId, wordId } from '../../../tests/support/batch_factory.ts';
import { IMAGE_ID, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { without } from '../../../tests/support/without.ts';
import {
  type BatchSummary,
  batchSummaryCodec,
  batchSummaryKey,
  type EmbeddingBatchResult,
  embeddingBatchResultCodec,
} from './batch.ts';

const row = {
  PK: `BATCH#${BATCH_ID}`,
  SK: 'STATUS',
  TYPE: 'BATCH_SUMMARY',
  GSI1PK: 'STATUS#PENDING',
  GSI1SK: `BATCH_TYPE#WORD_EMBEDDING#BATCH_ID#${BATCH_ID}`,
  batch_type: 'WORD_EMBEDDING',
  status: 'PENDING',
  openai_batch_id: 'batch_1',
  submitted_at: '2025-03-01T10:00:00+00:00',
  result_file_id: 'N/A',
  receipt_refs: [RECEIPT],
};

const batch = aBatch({ receipt_refs: [RECEIPT] });

const decode = (stored: object): BatchSummary => z.decode(batchSummaryCodec, stored as never);

describe('the row of a batch', () => {
  it('has the keys, indexes and attributes that other readers look for', () => {
    expect(z.encode(batchSummaryCodec, batch)).toStrictEqual(row);
    expect(batchSummaryKey(BATCH_ID)).toStrictEqual({ PK: row.PK, SK: row.SK });
  });

  it('is indexed by its own status and type', () => {
    const { GSI1PK, GSI1SK } = z.encode(
      batchSummaryCodec,
      aBatch({ batch_type: 'LINE_EMBEDDING', status: 'COMPLETED' }),
    );

    expect([GSI1PK, GSI1SK]).toStrictEqual([
      'STATUS#COMPLETED',
      `BATCH_TYPE#LINE_EMBEDDING#BATCH_ID#${BATCH_ID}`,
    ]);
  });

  it('written by another system is read, though it has none of our attributes', () => {
    expect(decode(row)).toStrictEqual(batch);
  });

  it('is read as it was written, with all of our attributes', () => {
    const ours: Required<BatchSummary> = {
      ...batch,
      submitted_by: 'submit-1',
      model: 'text-embedding-3-small',
      dimensions: 1_536,
      requested: 6,
      succeeded: 3,
      failed: 2,
      released: 1,
      prompt_tokens: 0,
      reason: 'expired',
      refusal: 'QuotaExhausted',
      last_error: 'UpstreamUnavailable',
      attempts: 2,
      retry_at: '2025-03-02T11:00:00+00:00',
      polled_at: '2025-03-02T10:15:00+00:00',
      parked_at: '2025-03-02T10:15:00+00:00',
      downloaded: {
        batch_status: 'COMPLETED',
        reason: null,
        parts: 1,
        results: {
          embedded: 3,
          refused: 2,
          lost: 1,
          doubled: 0,
          unknown: 0,
          unreadable: 0,
          prompt_tokens: 9,
        },
      },
      parts_done: new Set(['part-00000.jsonl']),
      input_file_id: 'file-1',
      error_file_id: 'file-2',
      creating_since: '2025-03-01T10:00:00+00:00',
      completed_at: '2025-03-02T10:00:00+00:00',
      claimed_by: 'poll-1',
      claim_expires_at: '2025-03-02T10:20:00+00:00',
    };

    expect(decode(z.encode(batchSummaryCodec, ours))).toStrictEqual(ours);
  });

  it.each([
    ['the type EMBEDDING, which is words', { batch_type: 'EMBEDDING' }, {}],
    ['the status CANCELING', { status: 'CANCELING' }, { status: 'CANCELLING' }],
    [
      'a time without an offset',
      { submitted_at: '2025-03-01T10:00:00' },
      { submitted_at: '2025-03-01T10:00:00' },
    ],
    ['no result file as NULL', { result_file_id: null }, {}],
    ['its receipts as NULL', { receipt_refs: null }, { receipt_refs: [] }],
    ['attributes that nobody knows', { word_count: 7 }, {}],
  ])('of an older system is read: %s', (_, stored, meaning) => {
    expect(decode({ ...row, ...stored })).toStrictEqual({ ...batch, ...meaning });
  });

  it('of an older system is read without a result file and without receipts, and written in today’s form', () => {
    const old = { ...without(row, 'result_file_id', 'receipt_refs'), batch_type: 'EMBEDDING' };

    expect(z.encode(batchSummaryCodec, decode(old))).toStrictEqual({ ...row, receipt_refs: [] });
  });

  it.each([
    ['another TYPE', { TYPE: 'RECEIPT' }],
    ['a type that there is not', { batch_type: 'COMPLETION' }],
    ['a status that there is not', { status: 'DONE' }],
    ['no time', { submitted_at: 'yesterday' }],
    ['an id that is no UUID', { PK: 'BATCH#1' }],
    ['a count below zero', { requested: -1 }],
    ['a receipt without an image', { receipt_refs: [{ receipt_id: 1 }] }],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(batchSummaryCodec, { ...row, ...change } as never).success).toBe(false);
  });
});

describe('embedding batch result', () => {
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
      expect(
        z.safeEncode(embeddingBatchResultCodec, { ...result, ...change } as never).success,
      ).toBe(false);
    });
  });
});
