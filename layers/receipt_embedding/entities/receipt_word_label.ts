import { z } from 'zod';
import { imageIdSchema, ordinalSchema, rowKey, wordPath } from './keys.ts';
import { identify, keyFields } from './row.ts';
import { timestampSchema } from './timestamp.ts';

export const VALIDATION_STATUSES = ['NONE', 'PENDING', 'VALID', 'INVALID', 'NEEDS_REVIEW'] as const;

const attributes = {
  validation_status: z.enum(VALIDATION_STATUSES),
  timestamp_added: timestampSchema,
};

const optionalAttributes = {
  label_proposed_by: z.string().nullable(),
  label_consolidated_from: z.string().nullable(),
  reasoning: z.string().nullable(),
};

export const receiptWordLabelSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  line_id: ordinalSchema,
  word_id: ordinalSchema,
  label: z.string().min(1),
  ...attributes,
  ...optionalAttributes,
});

/** What somebody, or some model, says a word is; a word may have several. */
export type ReceiptWordLabel = z.output<typeof receiptWordLabelSchema>;

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT_WORD_LABEL'),
  ...attributes,
  label_proposed_by: z.string().nullish(),
  label_consolidated_from: z.string().nullish(),
  reasoning: z.string().nullish(),
});

/** Row ⇄ ReceiptWordLabel (docs/data_model.md §1). */
export const receiptWordLabelCodec = z.codec(storedSchema, receiptWordLabelSchema, {
  decode: (row, payload) => ({
    ...row,
    ...identify(row, 'label', payload),
    label_proposed_by: row.label_proposed_by ?? null,
    label_consolidated_from: row.label_consolidated_from ?? null,
    reasoning: row.reasoning ?? null,
  }),
  encode: ({ image_id, receipt_id, line_id, word_id, label, ...rest }) => ({
    ...rowKey(
      image_id,
      `${wordPath({ image_id, receipt_id, line_id, word_id })}#LABEL#${label.toUpperCase()}`,
    ),
    TYPE: 'RECEIPT_WORD_LABEL' as const,
    ...rest,
  }),
});
