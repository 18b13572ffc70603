import { z } from 'zod';
import type { VectorCollection } from '../stores/vector_store.ts';
import {
  imageIdSchema,
  imageKey,
  keyFields,
  type LineIdentity,
  parsePath,
  receiptIdentitySchema,
  receiptPart,
  receiptPath,
  timestampSchema,
} from './keys.ts';
import { embeddingStatusSchema } from './line_and_word.ts';

export const BATCH_TYPES = ['WORD_EMBEDDING', 'LINE_EMBEDDING'] as const;
export const batchTypeSchema = z.enum(BATCH_TYPES);
/** A batch embeds words or lines, never both. */
export type BatchType = z.output<typeof batchTypeSchema>;

/** The collection of a batch's vectors. */
export function collectionOfBatch(type: BatchType): VectorCollection {
  return type === 'LINE_EMBEDDING' ? 'lines' : 'words';
}

/** What OpenAI, or we, may still bring to an end. SUBMITTING is ours: claimed, not yet known to OpenAI. */
export const ACTIVE_BATCH_STATUSES = [
  'SUBMITTING',
  'PENDING',
  'VALIDATING',
  'IN_PROGRESS',
  'FINALIZING',
  'CANCELLING',
] as const;
/** Nothing changes a batch of these any more. */
export const ENDED_BATCH_STATUSES = ['COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED'] as const;

export const batchStatusSchema = z.enum([...ACTIVE_BATCH_STATUSES, ...ENDED_BATCH_STATUSES]);
export type BatchStatus = z.output<typeof batchStatusSchema>;
export type ActiveBatchStatus = (typeof ACTIVE_BATCH_STATUSES)[number];
export type EndedBatchStatus = (typeof ENDED_BATCH_STATUSES)[number];

/** Whether a batch of this status has ended. */
export function isEnded(status: BatchStatus): boolean {
  return (ENDED_BATCH_STATUSES as readonly BatchStatus[]).includes(status);
}

/** As legacy rows have them, and what that means. */
const LEGACY_TYPES = { EMBEDDING: 'WORD_EMBEDDING' } as const;
const LEGACY_STATUSES = { CANCELING: 'CANCELLING' } as const;

/** Every form in which a batch type, or a status, may lie in the index. */
export const STORED_BATCH_TYPES = [...BATCH_TYPES, ...keysOf(LEGACY_TYPES)] as const;
export const STORED_ACTIVE_STATUSES = [
  ...ACTIVE_BATCH_STATUSES,
  ...keysOf(LEGACY_STATUSES),
] as const;

/** In place of an id that is not known yet: readers want a text. */
export const UNKNOWN_ID = 'N/A';

const count = z.int().min(0);

const attributes = {
  openai_batch_id: z.string(),
  submitted_at: timestampSchema,
  result_file_id: z.string(),
  receipt_refs: z.array(receiptIdentitySchema),
};

/** What came of a batch's requests: embedded + refused + lost = requested. */
export const resultCountsSchema = z.object({
  embedded: count,
  /** Their input was refused. */
  refused: count,
  /** Expired, cancelled, failed at OpenAI, unreadable, or without any row. */
  lost: count,
  /** Rows beyond the first of a request that has a vector already. */
  doubled: count,
  /** Rows for what was not asked for. */
  unknown: count,
  /** Rows of which nothing can be told. */
  unreadable: count,
  prompt_tokens: count,
});

export type ResultCounts = z.output<typeof resultCountsSchema>;

/** How a batch ended at OpenAI, and what it brought. */
const downloadSchema = z.object({
  batch_status: z.enum(ENDED_BATCH_STATUSES),
  reason: z.string().nullable(),
  parts: count,
  results: resultCountsSchema,
});

/** Attributes of our own; readers of others ignore them, and rows of others lack them. */
const ownAttributes = {
  /** The ARN of the execution that submitted it. A batch without it is another system's. */
  submitted_by: z.string().optional(),
  model: z.string().optional(),
  dimensions: z.int().min(1).optional(),
  /** Lines or words that OpenAI was asked for. At the end, requested = succeeded + failed + released. */
  requested: count.optional(),
  succeeded: count.optional(),
  failed: count.optional(),
  released: count.optional(),
  prompt_tokens: count.optional(),
  /** Why it ended otherwise than it should. */
  reason: z.string().optional(),
  /** The name of the error with which its submission was refused: what it had claimed is returned to NONE. */
  refusal: z.string().optional(),
  /** Why an execution could not finish it; a later one tries again. */
  last_error: z.string().optional(),
  /** How many executions could not finish it, since it last went well. */
  attempts: count.optional(),
  /** A poll leaves it alone until then. */
  retry_at: timestampSchema.optional(),
  /** When a poll last looked after it: those that were not looked after for longest come first. */
  polled_at: timestampSchema.optional(),
  /** Since when no poll tries any more. Its status and its claims stay: it counts as a batch that has not ended. */
  parked_at: timestampSchema.optional(),
  /** Its results are in the batch bucket, in this many parts: a next try begins there. */
  downloaded: downloadSchema.optional(),
  /** The parts whose results are recorded, by their names. */
  parts_done: z.set(z.string()).optional(),
  input_file_id: z.string().optional(),
  error_file_id: z.string().optional(),
  /** The batch may exist at OpenAI from here on. */
  creating_since: timestampSchema.optional(),
  completed_at: timestampSchema.optional(),
  /**
   * Who has its lease, until that ends or expires: an execution, by its ARN; for a submission, that and the id of its one
   * invocation.
   */
  claimed_by: z.string().optional(),
  claim_expires_at: timestampSchema.optional(),
};

const batchSummarySchema = z.object({
  batch_id: z.uuid(),
  batch_type: batchTypeSchema,
  status: batchStatusSchema,
  ...attributes,
  ...ownAttributes,
});

/** A batch at OpenAI, from its submission to the last of its results. */
export type BatchSummary = z.output<typeof batchSummarySchema>;

/** Whether this system has submitted a batch; otherwise an older one has. */
export function isOurs(batch: Pick<BatchSummary, 'submitted_by'>): boolean {
  return batch.submitted_by !== undefined;
}

/** The owner of a batch's claims on lines and words; undefined for an older system's, which writes none. */
export function ownerOf(batch: BatchSummary): string | undefined {
  return isOurs(batch) ? batch.batch_id : undefined;
}

const storedBatchSummarySchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('BATCH_SUMMARY'),
  batch_type: z.enum(STORED_BATCH_TYPES),
  status: z.enum([...STORED_ACTIVE_STATUSES, ...ENDED_BATCH_STATUSES]),
  ...attributes,
  result_file_id: z.string().nullish(),
  // A listing leaves it out: it may be hundreds of kilobytes.
  receipt_refs: z.array(receiptIdentitySchema).nullish(),
  ...ownAttributes,
});

const KEY = 'BATCH#';
const SORT_KEY = 'STATUS';

/** The key of a batch's summary. */
export function batchSummaryKey(batchId: string): { readonly PK: string; readonly SK: string } {
  return { PK: `${KEY}${batchId}`, SK: SORT_KEY };
}

/** The hash of GSI1 for batches of this status. */
export const batchStatusKey = (status: string): string => `STATUS#${status}`;

/** What the range of GSI1 begins with for batches of this type. */
export const batchTypeKey = (type: string): string => `BATCH_TYPE#${type}#`;

/**
 * Row ⇄ BatchSummary (docs/data_model.md §1): legacy names of types and statuses are read, and never written.
 *
 * @example
 * ```ts
 * z.encode(batchSummaryCodec, batch);
 * // { PK: 'BATCH#0b6a…', SK: 'STATUS', TYPE: 'BATCH_SUMMARY', GSI1PK: 'STATUS#PENDING',
 * //   GSI1SK: 'BATCH_TYPE#WORD_EMBEDDING#BATCH_ID#0b6a…', batch_type: 'WORD_EMBEDDING', status: 'PENDING', … }
 * ```
 */
export const batchSummaryCodec = z.codec(storedBatchSummarySchema, batchSummarySchema, {
  decode: (row) => ({
    ...row,
    batch_id: row.PK.slice(KEY.length),
    batch_type: row.batch_type === 'EMBEDDING' ? LEGACY_TYPES.EMBEDDING : row.batch_type,
    status: row.status === 'CANCELING' ? LEGACY_STATUSES.CANCELING : row.status,
    result_file_id: row.result_file_id ?? UNKNOWN_ID,
    receipt_refs: row.receipt_refs ?? [],
  }),
  encode: ({ batch_id, ...batch }) => ({
    ...batchSummaryKey(batch_id),
    TYPE: 'BATCH_SUMMARY' as const,
    GSI1PK: batchStatusKey(batch.status),
    GSI1SK: `${batchTypeKey(batch.batch_type)}BATCH_ID#${batch_id}`,
    ...batch,
  }),
});

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}

const embeddingBatchResultSchema = z.object({
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

const storedBatchResultSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('EMBEDDING_BATCH_RESULT'),
  image_id: imageIdSchema,
  pinecone_id: z.string(),
  text: z.string(),
  status: embeddingStatusSchema,
  error_message: z.string().nullish(),
});

/** What the sort key of every result begins with. */
export const BATCH_RESULT_PREFIX = 'RESULT#';

/**
 * Row ⇄ EmbeddingBatchResult (docs/data_model.md §1): line and word have three digits here, not five.
 *
 * @example
 * ```ts
 * z.encode(embeddingBatchResultCodec, result);
 * // { PK: 'BATCH#0b6a…', SK: 'RESULT#IMAGE#3f52…#RECEIPT#00001#LINE#001#WORD#002', status: 'SUCCESS', text: 'MILK', … }
 * ```
 */
export const embeddingBatchResultCodec = z.codec(
  storedBatchResultSchema,
  embeddingBatchResultSchema,
  {
    decode: (row) => ({
      ...row,
      batch_id: row.PK.slice(KEY.length),
      error_message: row.error_message ?? null,
    }),
    encode: (result) => {
      const { batch_id, ...attributes } = result;
      const entity = parsePath(result.pinecone_id) as LineIdentity & { word_id?: number };
      const batch = batchSummaryKey(batch_id).PK;
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
  },
);

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
