import { z } from 'zod';
import { embeddingStatusKey, embeddingStatusSchema } from './embedding_status.ts';
import { placedFields } from './geometry.ts';
import { imageIdSchema, linePath, ordinalSchema, receiptPath, rowKey } from './keys.ts';
import { identify, keyFields } from './row.ts';

const attributes = { text: z.string(), ...placedFields };

export const receiptLineSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  line_id: ordinalSchema,
  ...attributes,
  embedding_status: embeddingStatusSchema,
  is_noise: z.boolean(),
});

/** One line of text that OCR found on a receipt. */
export type ReceiptLine = z.output<typeof receiptLineSchema>;

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT_LINE'),
  ...attributes,
  embedding_status: embeddingStatusSchema.optional(),
  is_noise: z.boolean().optional(),
});

/** Row ⇄ ReceiptLine (docs/data_model.md §1): status and noise may be absent, ids are the key's. */
export const receiptLineCodec = z.codec(storedSchema, receiptLineSchema, {
  decode: (row, payload) => ({
    ...row,
    ...identify(row, 'line_id', payload),
    embedding_status: row.embedding_status ?? ('NONE' as const),
    is_noise: row.is_noise ?? false,
  }),
  encode: (line) => {
    const path = linePath(line);
    return {
      ...rowKey(line.image_id, path),
      TYPE: 'RECEIPT_LINE' as const,
      GSI1PK: embeddingStatusKey(line.embedding_status),
      GSI1SK: `LINE#${path}`,
      GSI3PK: receiptPath(line),
      GSI3SK: 'LINE',
      ...line,
    };
  },
});
