import { z } from 'zod';
import { embeddingStatusKey, embeddingStatusSchema } from './embedding_status.ts';
import { placedFields } from './geometry.ts';
import { imageIdSchema, ordinalSchema, receiptPath, rowKey, wordPath } from './keys.ts';
import { identify, keyFields } from './row.ts';

/** What OCR recognised in a word: the value is the whole of it, also where the word is but a part. */
export const extractedDataSchema = z.object({
  type: z.enum(['address', 'date', 'phone', 'url']),
  value: z.string(),
});
export type ExtractedData = z.output<typeof extractedDataSchema>;

const attributes = {
  text: z.string(),
  ...placedFields,
  extracted_data: extractedDataSchema.nullable(),
};

export const receiptWordSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  line_id: ordinalSchema,
  word_id: ordinalSchema,
  ...attributes,
  embedding_status: embeddingStatusSchema,
  is_noise: z.boolean(),
});

/** One word of a line. */
export type ReceiptWord = z.output<typeof receiptWordSchema>;

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT_WORD'),
  ...attributes,
  extracted_data: extractedDataSchema.nullish(),
  embedding_status: embeddingStatusSchema.optional(),
  is_noise: z.boolean().optional(),
});

/** Row ⇄ ReceiptWord (docs/data_model.md §1): status and noise may be absent, ids are the key's. */
export const receiptWordCodec = z.codec(storedSchema, receiptWordSchema, {
  decode: (row, payload) => ({
    ...row,
    ...identify(row, 'word_id', payload),
    extracted_data: row.extracted_data ?? null,
    embedding_status: row.embedding_status ?? ('NONE' as const),
    is_noise: row.is_noise ?? false,
  }),
  encode: (word) => {
    const path = wordPath(word);
    return {
      ...rowKey(word.image_id, path),
      TYPE: 'RECEIPT_WORD' as const,
      GSI1PK: embeddingStatusKey(word.embedding_status),
      GSI1SK: `WORD#${path}`,
      GSI2PK: 'RECEIPT',
      GSI2SK: path,
      GSI3PK: receiptPath(word),
      GSI3SK: 'WORD',
      ...word,
    };
  },
});
