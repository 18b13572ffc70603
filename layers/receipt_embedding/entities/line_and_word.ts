import { z } from 'zod';
import {
  identify,
  imageIdSchema,
  keyFields,
  linePath,
  ordinalSchema,
  receiptPath,
  rowKey,
  timestampSchema,
  wordPath,
} from './keys.ts';
import { placed, placedFields, storedPlacedFields } from './receipt.ts';

export const EMBEDDING_STATUSES = ['NONE', 'PENDING', 'SUCCESS', 'FAILED', 'NOISE'] as const;

/**
 * NONE: to do. PENDING: claimed by a batch. SUCCESS: embedded. FAILED: its input was refused, and
 * nothing retries it by itself. NOISE: never embedded.
 */
export const embeddingStatusSchema = z.enum(EMBEDDING_STATUSES);
export type EmbeddingStatus = z.output<typeof embeddingStatusSchema>;

/** The hash of GSI1 for lines and words of this status. */
export const embeddingStatusKey = (status: EmbeddingStatus): string => `EMBEDDING_STATUS#${status}`;

const statusFields = {
  embedding_status: embeddingStatusSchema,
  /** Whether the row has no status, as legacy rows: the status above is NONE then. @default false */
  status_missing: z.literal(true).optional(),
};

function readStatus(
  stored: EmbeddingStatus | undefined,
): Pick<ReceiptLine, 'embedding_status' | 'status_missing'> {
  return stored === undefined
    ? { embedding_status: 'NONE', status_missing: true }
    : { embedding_status: stored };
}

/** What a row has of a line or word: it is written with its status. */
function stored<Entity extends Pick<ReceiptLine, 'status_missing'>>(entity: Entity): Entity {
  const fields = { ...entity };
  delete fields.status_missing;
  return fields;
}

export const receiptLineSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  line_id: ordinalSchema,
  text: z.string(),
  ...placedFields,
  ...statusFields,
  is_noise: z.boolean(),
});

/** One line of text that OCR found on a receipt. */
export type ReceiptLine = z.output<typeof receiptLineSchema>;

const storedLineSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT_LINE'),
  text: z.string(),
  ...storedPlacedFields,
  embedding_status: embeddingStatusSchema.optional(),
  is_noise: z.boolean().optional(),
});

/**
 * Row ⇄ ReceiptLine (docs/data_model.md §1): all that merely describes the text may be absent, ids are the key's.
 * @example
 * ```ts
 * z.encode(receiptLineCodec, line);
 * // { PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001', TYPE: 'RECEIPT_LINE', text: 'MILK 3.99', embedding_status: 'NONE',
 * //   GSI1PK: 'EMBEDDING_STATUS#NONE', GSI1SK: 'LINE#IMAGE#3f52…#RECEIPT#00001#LINE#00001', bounding_box: { … }, … }
 * ```
 */
export const receiptLineCodec = z.codec(storedLineSchema, receiptLineSchema, {
  decode: (row, payload) => ({
    ...row,
    ...identify(row, 'line_id', payload),
    ...placed(row, payload),
    ...readStatus(row.embedding_status),
    is_noise: row.is_noise ?? false,
  }),
  encode: (read) => {
    const line = stored(read);
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

/** What OCR recognised in a word: the value is the whole of it, also where the word is only a part. */
export const extractedDataSchema = z.object({
  type: z.enum(['address', 'date', 'phone', 'url']),
  value: z.string(),
});
export type ExtractedData = z.output<typeof extractedDataSchema>;

export const receiptWordSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  line_id: ordinalSchema,
  word_id: ordinalSchema,
  text: z.string(),
  ...placedFields,
  extracted_data: extractedDataSchema.nullable(),
  ...statusFields,
  is_noise: z.boolean(),
});

/** One word of a line. */
export type ReceiptWord = z.output<typeof receiptWordSchema>;

const storedWordSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT_WORD'),
  text: z.string(),
  ...storedPlacedFields,
  extracted_data: extractedDataSchema.nullish(),
  embedding_status: embeddingStatusSchema.optional(),
  is_noise: z.boolean().optional(),
});

/** Row ⇄ ReceiptWord, as a line's row (docs/data_model.md §1). @see receiptLineCodec */
export const receiptWordCodec = z.codec(storedWordSchema, receiptWordSchema, {
  decode: (row, payload) => ({
    ...row,
    ...identify(row, 'word_id', payload),
    ...placed(row, payload),
    extracted_data: row.extracted_data ?? null,
    ...readStatus(row.embedding_status),
    is_noise: row.is_noise ?? false,
  }),
  encode: (read) => {
    const word = stored(read);
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

export const VALIDATION_STATUSES = ['NONE', 'PENDING', 'VALID', 'INVALID', 'NEEDS_REVIEW'] as const;

export const receiptWordLabelSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  line_id: ordinalSchema,
  word_id: ordinalSchema,
  label: z.string().min(1),
  validation_status: z.enum(VALIDATION_STATUSES),
  /** Null where the row has none that can be read: such a label counts as older than any other. */
  timestamp_added: timestampSchema.nullable(),
  label_proposed_by: z.string().nullable(),
  label_consolidated_from: z.string().nullable(),
  reasoning: z.string().nullable(),
});

/** What somebody, or some model, says a word is; a word may have several. */
export type ReceiptWordLabel = z.output<typeof receiptWordLabelSchema>;

const storedLabelSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT_WORD_LABEL'),
  validation_status: z.enum(VALIDATION_STATUSES),
  timestamp_added: timestampSchema.nullish(),
  label_proposed_by: z.string().nullish(),
  label_consolidated_from: z.string().nullish(),
  reasoning: z.string().nullish(),
});

/** Row ⇄ ReceiptWordLabel (docs/data_model.md §1). */
export const receiptWordLabelCodec = z.codec(storedLabelSchema, receiptWordLabelSchema, {
  decode: (row, payload) => ({
    ...row,
    ...identify(row, 'label', payload),
    timestamp_added: row.timestamp_added ?? null,
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
