import type { PlannedEntity } from 'receipt-embedding/batches/batch_files';
import { type BatchSummary, batchSummaryCodec } from 'receipt-embedding/entities/batch';
import {
  type LineIdentity,
  linePath,
  type Row,
  type WordIdentity,
  wordPath,
} from 'receipt-embedding/entities/keys';
import { z } from 'zod';
import { RECEIPT } from './receipt_factory.ts';

/** The batch that everything here is of, unless told otherwise. */
export const BATCH_ID = '0b7e3f3a-1111-4222-8333-444455556666';
export const OTHER_BATCH_ID = '0b7e3f3a-1111-4222-8333-999999999999';

/** A batch of words as an older system has submitted it: without any attribute of our own. */
export function aBatch(changes: Partial<BatchSummary> = {}): BatchSummary {
  return {
    batch_id: BATCH_ID,
    batch_type: 'WORD_EMBEDDING',
    status: 'PENDING',
    openai_batch_id: 'batch_1',
    submitted_at: '2025-03-01T10:00:00+00:00',
    result_file_id: 'N/A',
    receipt_refs: [],
    ...changes,
  };
}

/** A batch that this system has submitted. */
export function ourBatch(changes: Partial<BatchSummary> = {}): BatchSummary {
  return aBatch({ submitted_by: 'submit-1', ...changes });
}

/** Its row in the table. */
export function rowOfBatch(batch: BatchSummary): Row {
  return z.encode(batchSummaryCodec, batch);
}

/** A word's vector id; on the receipt of the factories, unless told otherwise. */
export function wordId(word: Partial<WordIdentity> = {}): string {
  return wordPath({ ...RECEIPT, line_id: 1, word_id: 1, ...word });
}

/** A line's vector id; on the receipt of the factories, unless told otherwise. */
export function lineId(line: Partial<LineIdentity> = {}): string {
  return linePath({ ...RECEIPT, line_id: 1, ...line });
}

/** As many words of one receipt, to be embedded. */
export function plannedWords(
  count: number,
  receipt: Partial<WordIdentity> = {},
  input = 'MILK',
): PlannedEntity[] {
  return Array.from({ length: count }, (_, at) => ({
    custom_id: wordId({ ...receipt, word_id: at + 1 }),
    text: 'MILK',
    input,
  }));
}

/** A vector as it travels: base64 of little-endian float32. */
export function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
