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

/** Refused lines and words that the record of a run names; of any further ones the run's deltas and the rows' FAILED tell. */
export const REFUSED_NAMED = 30;

/** Runs that the record names though nothing needs them any more: their deltas are found by them when a receipt is forgotten. */
export const PAST_NAMED = 300;

/** Ids that may be in stores though no row that can be read has them; of any further ones the runs of the stores tell. */
const LEFT_NAMED = 300;

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
  /** The first of them. */
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

/** Who writes what to which stores. */
interface Projection {
  /** One invocation; a batch's part by its name. */
  readonly writer: string;
  readonly now: string;
  /** The stack's, by identity. */
  readonly stores: readonly string[];
}

/**
 * With a run more, as the writer begins to project it. A whole one takes the place of all before it; what stores have of those stays known,
 * because it must be removed.
 */
export function withRun(
  record: EmbeddedReceipt,
  run: LoggedRun,
  { writer, now, stores }: Projection,
): EmbeddedReceipt {
  return {
    ...record,
    sequence: record.sequence + 1,
    runs: run.whole ? [run] : [run, ...record.runs],
    past_runs: run.whole ? withPast(record) : record.past_runs,
    stores: begun(record, [run.run_id], stores),
    marks: stores.length === 0 ? record.marks : { ...record.marks, [writer]: now },
    gone_at: null,
  };
}

/** As the writer begins to write the recorded runs to the stores again. */
export function withMark(
  record: EmbeddedReceipt,
  { writer, now, stores }: Projection,
): EmbeddedReceipt {
  const ids = record.runs.map(({ run_id }) => run_id);
  return {
    ...record,
    stores: begun(record, ids, stores),
    marks: { ...record.marks, [writer]: now },
  };
}

/** The earlier runs, once those that are recorded now are earlier ones too. */
function withPast({ runs, past_runs }: EmbeddedReceipt): string[] {
  return [...new Set([...runs.map(({ run_id }) => run_id), ...past_runs])].slice(0, PAST_NAMED);
}

function begun(
  record: EmbeddedReceipt,
  runIds: readonly string[],
  stores: readonly string[],
): EmbeddedReceipt['stores'] {
  const states = { ...record.stores };
  for (const store of stores) {
    const { has = [], begun: before = [] } = states[store] ?? {};
    const added = runIds.filter((id) => !has.includes(id) && !before.includes(id));
    states[store] = { has, begun: [...added, ...before] };
  }
  return states;
}

/** What a writer has done. */
export interface Projected {
  readonly writer: string;
  readonly stores: readonly string[];
  /** The runs that the stores have whole now. */
  readonly runs: readonly string[];
  /** Runs of which the stores have nothing any more that the former do not have. */
  readonly replaced: readonly string[];
  /** What stores refused, of the newest of these runs. */
  readonly refused: readonly RefusedEntity[];
  /** Stores that got everything: what they had refused before does not count any more. */
  readonly refilled: readonly string[];
  /** Whether the writer may have covered a newer run, which somebody has to write again. */
  readonly late: boolean;
  /** Marks of others who are dead, and whose writing is covered now. */
  readonly dead: readonly string[];
  /** What `left` becomes. @default as it was */
  readonly left?: readonly string[];
}

/**
 * As the writer is done. While others are at work, whose runs are older, what they may still write stays known: it must be removed if they
 * die.
 */
export function withProjected(record: EmbeddedReceipt, done: Projected): EmbeddedReceipt {
  const marks = without(record.marks, [...done.dead, ...(done.late ? [] : [done.writer])]);
  const settled = Object.keys(marks).length === 0;
  const gone = new Set([...(settled ? done.replaced : []), ...done.runs]);
  const states = { ...record.stores };
  for (const store of done.stores) {
    const { has = [], begun: before = [] } = states[store] ?? {};
    states[store] = {
      has: [...done.runs, ...has.filter((id) => !gone.has(id))],
      begun: before.filter((id) => !gone.has(id)),
    };
  }
  return {
    ...record,
    runs: record.runs.map((run) => (run.run_id === done.runs[0] ? withRefused(run, done) : run)),
    stores: states,
    marks,
    left: [...(done.left ?? record.left)].slice(0, LEFT_NAMED),
  };
}

function without<Value>(
  record: Readonly<Record<string, Value>>,
  names: readonly string[],
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

/** What the stores have refused now counts in the place of what they had refused. */
function withRefused(run: LoggedRun, { refused, refilled }: Projected): LoggedRun {
  const kept = run.refused.filter(({ by }) => !refilled.includes(by));
  const count = run.refused_count - (run.refused.length - kept.length) + refused.length;
  return { ...run, refused: [...kept, ...refused].slice(0, REFUSED_NAMED), refused_count: count };
}

/**
 * Without anything embedded: its lines and words are gone, and the stores of the stack have removed them. What others, who are at work, may
 * still write stays known.
 *
 * @param over marks that do not count any more: the writer's own, and those of the dead.
 */
export function withoutRuns(
  record: EmbeddedReceipt,
  cleaned: readonly string[],
  over: readonly string[],
  now: string,
): EmbeddedReceipt {
  const marks = without(record.marks, over);
  const runs = record.runs.map(({ run_id }) => run_id);
  const stores = without(record.stores, cleaned);
  if (Object.keys(marks).length > 0) {
    for (const store of cleaned) {
      const { has = [], begun: before = [] } = record.stores[store] ?? {};
      stores[store] = { has: [], begun: [...new Set([...runs, ...has, ...before])] };
    }
  }
  return {
    ...record,
    sequence: record.sequence + 1,
    runs: [],
    past_runs: withPast(record),
    stores,
    marks,
    left: [],
    gone_at: now,
  };
}

/**
 * As what is held of the receipt begins to be deleted: as far as the next run knows, nothing is embedded, so that it embeds the receipt anew
 * where its rows are still there. What must be deleted stays known.
 */
export function withoutTrust(record: EmbeddedReceipt): EmbeddedReceipt {
  const runs = record.runs.map(({ run_id }) => run_id);
  const stores: EmbeddedReceipt['stores'] = {};
  for (const [store, { has, begun: before }] of Object.entries(record.stores)) {
    stores[store] = { has: [], begun: [...new Set([...runs, ...has, ...before])] };
  }
  return {
    ...record,
    sequence: record.sequence + 1,
    runs: [],
    past_runs: withPast(record),
    stores,
  };
}

/** Every run of which the log may have deltas, as far as the record knows. */
export function knownRuns({ runs, past_runs, stores }: EmbeddedReceipt): string[] {
  const inStores = Object.values(stores).flatMap(({ has, begun: before }) => [...has, ...before]);
  return [...new Set([...runs.map(({ run_id }) => run_id), ...past_runs, ...inStores])];
}
