import { z } from 'zod';
import { deltaPrefix } from '../object_keys.ts';
import {
  imageIdSchema,
  keyFields,
  ordinalSchema,
  type ReceiptIdentity,
  receiptPath,
  rowKey,
  timestampSchema,
  toTimestamp,
} from './keys.ts';

export const COMPACTION_STATES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED'] as const;
const compactionStateSchema = z.enum(COMPACTION_STATES);

const compactionRunSchema = z.object({
  run_id: z.uuid(),
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  lines_delta_prefix: z.string().min(1),
  words_delta_prefix: z.string().min(1),
  lines_state: compactionStateSchema,
  words_state: compactionStateSchema,
  lines_merged_vectors: z.int().min(0),
  words_merged_vectors: z.int().min(0),
  created_at: timestampSchema,
  lines_started_at: z.string().nullable(),
  lines_finished_at: z.string().nullable(),
  words_started_at: z.string().nullable(),
  words_finished_at: z.string().nullable(),
  updated_at: z.string().nullable(),
  lines_error: z.string().nullable(),
  words_error: z.string().nullable(),
});

/** The compactor's order to merge the two deltas of a receipt; its insert is what starts the compactor. */
export type CompactionRun = z.output<typeof compactionRunSchema>;

const absent = z.string().nullish();

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('COMPACTION_RUN'),
  ...compactionRunSchema.shape,
  lines_merged_vectors: z.int().min(0).optional(),
  words_merged_vectors: z.int().min(0).optional(),
  lines_started_at: absent,
  lines_finished_at: absent,
  words_started_at: absent,
  words_finished_at: absent,
  updated_at: absent,
  lines_error: absent,
  words_error: absent,
});

/**
 * Row ⇄ CompactionRun (docs/data_model.md §1).
 * @example
 * ```ts
 * z.encode(compactionRunCodec, newCompactionRun(receipt, run_id, new Date()));
 * // { PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#COMPACTION_RUN#0b7e…', TYPE: 'COMPACTION_RUN', lines_state: 'PENDING', … }
 * ```
 */
export const compactionRunCodec = z.codec(storedSchema, compactionRunSchema, {
  decode: (row, payload) => {
    const key = rowKey(row.image_id, compactionRunPath(row, row.run_id));
    if (key.PK !== row.PK || key.SK !== row.SK) {
      const message = 'image_id, receipt_id or run_id does not agree with the key';
      payload.issues.push({ code: 'custom', message, path: ['SK'], input: row.SK });
    }
    return {
      ...row,
      lines_merged_vectors: row.lines_merged_vectors ?? 0,
      words_merged_vectors: row.words_merged_vectors ?? 0,
      lines_started_at: row.lines_started_at ?? null,
      lines_finished_at: row.lines_finished_at ?? null,
      words_started_at: row.words_started_at ?? null,
      words_finished_at: row.words_finished_at ?? null,
      updated_at: row.updated_at ?? null,
      lines_error: row.lines_error ?? null,
      words_error: row.words_error ?? null,
    };
  },
  encode: (run) => ({
    ...rowKey(run.image_id, compactionRunPath(run, run.run_id)),
    TYPE: 'COMPACTION_RUN' as const,
    GSI1PK: 'RUNS',
    GSI1SK: `CREATED_AT#${run.created_at}`,
    ...run,
  }),
});

/** The path of a receipt's run; with the beginning of a run id, what a query for such runs begins with. */
export function compactionRunPath(receipt: ReceiptIdentity, runId: string): string {
  return `${receiptPath(receipt)}#COMPACTION_RUN#${runId}`;
}

/** The record of a run whose deltas were just written: both PENDING, nothing merged yet. */
export function newCompactionRun(
  receipt: ReceiptIdentity,
  run_id: string,
  createdAt: Date,
): CompactionRun {
  return {
    run_id,
    image_id: receipt.image_id,
    receipt_id: receipt.receipt_id,
    lines_delta_prefix: deltaPrefix('lines', run_id),
    words_delta_prefix: deltaPrefix('words', run_id),
    lines_state: 'PENDING',
    words_state: 'PENDING',
    lines_merged_vectors: 0,
    words_merged_vectors: 0,
    created_at: toTimestamp(createdAt),
    lines_started_at: null,
    lines_finished_at: null,
    words_started_at: null,
    words_finished_at: null,
    updated_at: null,
    lines_error: null,
    words_error: null,
  };
}
