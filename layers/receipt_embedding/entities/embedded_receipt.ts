import { z } from 'zod';
import { embeddingPathSchema } from '../stores/vector_store.ts';
import {
  imageIdSchema,
  keyFields,
  ordinalSchema,
  type ReceiptIdentity,
  receiptPath,
  type RowKey,
  timestampSchema,
} from './keys.ts';

/** Refusals that the record of a run names; of any further ones the run's deltas and the rows' FAILED tell. */
export const REFUSED_NAMED = 30;

/** Of a refusal's reason: the record is small, and so is a state's payload. */
export const REASON_CHARACTERS = 120;

/** Runs that the record names though nothing needs them any more: their deltas are found by them when a receipt is forgotten. */
export const PAST_NAMED = 300;

/** Ids that may be in stores though no row that can be read has them; of any further ones the runs of the stores tell. */
export const LEFT_NAMED = 300;

const refusedSchema = z.object({
  /** The vector id. */
  id: z.string(),
  /** Of the input that was refused; null where it is not known. */
  input_hash: z.string().nullable(),
  /** `openai`, or the identity of a store. */
  by: z.string(),
  reason: z.string(),
});

const collectionSchema = z.object({
  /** Of ids, inputs and metadata without `source` (@see collectionDigest). */
  digest: z.string(),
  vectors: z.int().min(0),
});

const loggedRunSchema = z.object({
  run_id: z.uuid(),
  path: embeddingPathSchema,
  /** Raised when the same rows give other inputs or metadata. */
  format: z.int(),
  model: z.string(),
  dimensions: z.int().min(1),
  /** Whether nothing older needs to be read: it has all that the log had of the receipt's present lines and words. */
  whole: z.boolean(),
  /** Null where the run is not of that collection. */
  lines: collectionSchema.nullable(),
  words: collectionSchema.nullable(),
  /** Each by whoever refused it: what two stores refuse is there twice. The first of them. */
  refused: z.array(refusedSchema),
  refused_count: z.int().min(0),
  /** The execution that asked for it although the content was there. */
  forced_by: z.string().nullable(),
  /** Who made it: an invocation, or a part of a batch. */
  written_by: z.string(),
  created_at: timestampSchema,
});

const storeStateSchema = z.object({
  /** Runs that it has whole. */
  has: z.array(z.string()),
  /** Runs that it may have something of. */
  begun: z.array(z.string()),
});

const embeddedReceiptSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  /** Every change raises it, on condition that it is as it was read. */
  version: z.int().min(1),
  /** Every run and every removal raises it. */
  sequence: z.int().min(0),
  /** Newest first, down to the newest that is whole. Empty: nothing is embedded (any more). */
  runs: z.array(loggedRunSchema),
  /**
   * Ids of earlier runs, newest first: whole ones have taken their place, or their lines and words are gone. Their deltas are in the log
   * still. The first 300.
   */
  past_runs: z.array(z.string()),
  /** By the store's identity. Also stores that the stack does not have any more: what is in them is not forgotten. */
  stores: z.record(z.string(), storeStateSchema),
  /** Who is writing to stores, since when; left behind by whoever died, or came late. */
  marks: z.record(z.string(), timestampSchema),
  /** Vector ids that the stores may have though no row that can be read has them. */
  left: z.array(z.string()),
  /** When its lines and words were found gone. */
  gone_at: timestampSchema.nullable(),
});

/**
 * What the log and the stores hold of a receipt (docs/data_model.md §1): ours alone, one item a receipt. At most some 200 KB: 9 runs
 * of 30 refusals, 300 ids, 300 earlier runs.
 */
export type EmbeddedReceipt = z.output<typeof embeddedReceiptSchema>;
export type LoggedRun = z.output<typeof loggedRunSchema>;
export type RefusedEntity = z.output<typeof refusedSchema>;

/**
 * A refusal, as a record names it.
 *
 * @param by `openai`, or the identity of a store.
 */
export function namedRefusal(
  by: string,
  {
    id,
    input_hash,
    reason,
  }: { readonly id: string; readonly input_hash?: string | undefined; readonly reason: string },
): RefusedEntity {
  return { id, input_hash: input_hash ?? null, by, reason };
}

/** All records of a table, by the index of types. */
export const EMBEDDED_RECEIPT_TYPE = 'EMBEDDED_RECEIPT' as const;
const SK = 'STATE';

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal(EMBEDDED_RECEIPT_TYPE),
  ...embeddedReceiptSchema.shape,
});

/** Row ⇄ EmbeddedReceipt. */
export const embeddedReceiptCodec = z.codec(storedSchema, embeddedReceiptSchema, {
  decode: (row, payload) => {
    if (embeddedReceiptKey(row).PK !== row.PK) {
      const message = 'image_id or receipt_id does not agree with the key';
      payload.issues.push({ code: 'custom', message, path: ['PK'], input: row.PK });
    }
    return row;
  },
  encode: (record) => ({ ...embeddedReceiptKey(record), TYPE: EMBEDDED_RECEIPT_TYPE, ...record }),
});

/** Not under the image's own key: other readers query that by its beginning, and know every type there. */
export function embeddedReceiptKey(receipt: ReceiptIdentity): RowKey {
  return { PK: `${EMBEDDED_RECEIPT_PREFIX}${receiptPath(receipt)}`, SK };
}

/** What the keys of all records begin with. */
const EMBEDDED_RECEIPT_PREFIX = 'EMBEDDING#';

/** A receipt of which nothing is recorded yet. */
export function unknownReceipt({ image_id, receipt_id }: ReceiptIdentity): EmbeddedReceipt {
  const nothing = { runs: [], past_runs: [], stores: {}, marks: {}, left: [], gone_at: null };
  return { image_id, receipt_id, version: 1, sequence: 0, ...nothing };
}

/** Whether the log or any store, also one that the stack does not have any more, may have something of the receipt. */
export function isHeldAnywhere({ runs, stores, marks, left }: EmbeddedReceipt): boolean {
  const inStores = Object.values(stores).some(({ has, begun }) => has.length + begun.length > 0);
  return runs.length > 0 || left.length > 0 || inStores || Object.keys(marks).length > 0;
}

/** Runs that these stores may have something of, and that are not recorded any more, each once. */
export function foreignRuns(record: EmbeddedReceipt, stores: readonly string[]): string[] {
  const recorded = new Set(idsOfRuns(record));
  const inStores = stores.flatMap((store) => {
    const { has = [], begun: before = [] } = record.stores[store] ?? {};
    return [...has, ...before];
  });
  return [...new Set(inStores)].filter((id) => !recorded.has(id));
}

/** Every run of which the log may have deltas, as far as the record knows. */
export function knownRuns(record: EmbeddedReceipt): string[] {
  const inStores = foreignRuns(record, Object.keys(record.stores));
  return [...new Set([...idsOfRuns(record), ...record.past_runs, ...inStores])];
}

/** Of the recorded runs, newest first. */
export function idsOfRuns({ runs }: Pick<EmbeddedReceipt, 'runs'>): string[] {
  return runs.map(({ run_id }) => run_id);
}
