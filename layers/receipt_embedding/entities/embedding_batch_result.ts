import { z } from 'zod';
import { embeddingStatusSchema } from './embedding_status.ts';
import {
  imageIdSchema,
  imageKey,
  parsePath,
  receiptPart,
  receiptPath,
  type LineIdentity,
} from './keys.ts';
import { keyFields } from './row.ts';

export const embeddingBatchResultSchema = z.object({
  batch_id: z.uuid(),
  image_id: imageIdSchema,
  /** The vector id, which names the line or word. */
  pinecone_id: z.string().refine((id) => parsePath(id)?.line_id !== undefined, {
    message: 'expected the id of a line or word',
  }),
  text: z.string(),
  status: embeddingStatusSchema,
  error_message: z.string().nullable(),
});

/** What became of one line or word in a batch. */
export type EmbeddingBatchResult = z.output<typeof embeddingBatchResultSchema>;

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('EMBEDDING_BATCH_RESULT'),
  image_id: imageIdSchema,
  pinecone_id: z.string(),
  text: z.string(),
  status: embeddingStatusSchema,
  error_message: z.string().nullish(),
});

const BATCH_KEY = 'BATCH#';

/** What the sort key of every result begins with. */
export const BATCH_RESULT_PREFIX = 'RESULT#';

/** Row ⇄ EmbeddingBatchResult (docs/data_model.md §1): line and word have three digits here, not five. */
export const embeddingBatchResultCodec = z.codec(storedSchema, embeddingBatchResultSchema, {
  decode: (row) => ({
    ...row,
    batch_id: row.PK.slice(BATCH_KEY.length),
    error_message: row.error_message ?? null,
  }),
  encode: (result) => {
    const { batch_id, ...attributes } = result;
    const entity = parsePath(result.pinecone_id) as LineIdentity & { word_id?: number };
    const batch = `${BATCH_KEY}${batch_id}`;
    return {
      PK: batch,
      SK: resultSortKey(entity),
      TYPE: 'EMBEDDING_BATCH_RESULT' as const,
      GSI2PK: batch,
      GSI2SK: `STATUS#${result.status}`,
      GSI3PK: receiptPath(entity),
      GSI3SK: `${batch}#STATUS#${result.status}`,
      ...attributes,
    };
  },
});

function resultSortKey({
  image_id,
  receipt_id,
  line_id,
  word_id,
}: LineIdentity & { readonly word_id?: number }): string {
  const pad = (ordinal: number): string => String(ordinal).padStart(3, '0');
  const word = word_id === undefined ? '' : `#WORD#${pad(word_id)}`;
  return `${BATCH_RESULT_PREFIX}${imageKey(image_id)}#${receiptPart(receipt_id)}#LINE#${pad(line_id)}${word}`;
}
