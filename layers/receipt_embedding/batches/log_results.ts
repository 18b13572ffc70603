import {
  collectionDigest,
  COLLECTIONS,
  CONTENT_FORMAT,
  entryOf,
  inputHash,
  isSame,
  runId,
} from '../delivery/receipt_content.ts';
import type { RecordPorts } from '../delivery/delivery_ports.ts';
import { type HeldVectors, readHeld } from '../delivery/held_vectors.ts';
import {
  decodeVector,
  type EmbeddingModel,
  encodeVector,
  isSameModel,
} from '../embeddings/embedder.ts';
import {
  embeddingItems,
  type EmbeddingItems,
  type LineItem,
  type WordItem,
} from '../embeddings/embedding_items.ts';
import { type BatchType, collectionOfBatch } from '../entities/batch.ts';
import { newCompactionRun } from '../entities/compaction_run.ts';
import {
  type EmbeddedReceipt,
  type LoggedRun,
  namedRefusal,
  REASON_CHARACTERS,
  REFUSED_NAMED,
  unknownReceipt,
} from '../entities/embedded_receipt.ts';
import { withMark, withRun } from '../entities/record_changes.ts';
import { type ReceiptIdentity, toTimestamp } from '../entities/keys.ts';
import type { LoggedVector, VectorLog } from '../log/vector_log.ts';
import { knownMerchant } from '../merchants/resolve_merchant.ts';
import type { Clock, Logger } from '../ports.ts';
import { RETRY_POLICIES, retrying } from '../retry.ts';
import { mapSettled } from '../settled_map.ts';
import type { VectorCollection } from '../stores/vector_store.ts';
import type { ReceiptContents } from '../table/receipt_contents.ts';
import { forEachReceipt, type PartRecord, type PartRow } from './batch_files.ts';

/** A whole run is written when more than so many lie above the newest whole one, so that nobody has to read more. */
export const MOST_RUNS_ABOVE = 8;

/** Keys that one log line names. */
const KEYS_SHOWN = 20;

export interface LogResultsPorts extends Omit<RecordPorts, 'changeRecord'> {
  readonly readReceipt: (receipt: ReceiptIdentity) => Promise<ReceiptContents>;
  readonly log: Pick<VectorLog, 'read' | 'write'>;
  /** The stack's stores, by their identities. */
  readonly stores: readonly string[];
  /** Of the batch's part: whoever writes it to the stores is known by it. */
  readonly writer: string;
  /** That the vectors were made with. */
  readonly model: EmbeddingModel;
  /** Whether a compactor learns of the runs. */
  readonly compactionRuns: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Puts a part of a batch's results into the log, receipt by receipt, with the metadata that their lines and words have now. Results of what
 * is gone, has become noise, or says something else than what was embedded are left out and logged.
 *
 * @returns what the stores are to get, and the table is to be told.
 * @throws what S3 and DynamoDB fail with; ConcurrentUpdate when a record changes all the time.
 * @example
 * ```ts
 * await logResults('LINE_EMBEDDING', await storage.readPart(key), ports); // [{ id, text, embedding, metadata }, …]
 * ```
 */
export async function logResults(
  type: BatchType,
  rows: readonly PartRow[],
  ports: LogResultsPorts,
): Promise<PartRecord[]> {
  const collection = collectionOfBatch(type);
  const logged = await forEachReceipt(
    rows,
    ({ custom_id }) => custom_id,
    async (receipt, ofReceipt) => {
      // Whoever meets another batch on the record begins again, and writes its delta no second time.
      const written = new Map<string, string>();
      return await retrying(RETRY_POLICIES.contended_record, () =>
        logReceipt(receipt, collection, ofReceipt, written, ports),
      );
    },
  );
  const kept = logged.flat();
  if (kept.length < rows.length) {
    const ids = new Set(kept.map(({ id }) => id));
    const left = rows.map(({ custom_id }) => custom_id).filter((id) => !ids.has(id));
    ports.logger.warn('results are of lines or words that are gone or edited, and are left out', {
      count: left.length,
      first_keys: left.slice(0, KEYS_SHOWN),
    });
  }
  return kept;
}

/** A result, and the line or word that it is of, as that is now. */
interface Matched {
  readonly row: PartRow;
  readonly item: LineItem | WordItem;
}

async function logReceipt(
  receipt: ReceiptIdentity,
  collection: VectorCollection,
  rows: readonly PartRow[],
  written: Map<string, string>,
  ports: LogResultsPorts,
): Promise<PartRecord[]> {
  const read = await ports.readRecord(receipt);
  const contents = await ports.readReceipt(receipt);
  const items = embeddingItems(contents, knownMerchant(contents.metadata), 'batch');
  const matched = matchRows(rows, items, collection);
  if (matched.length === 0) return [];
  const record = read ?? unknownReceipt(receipt);
  const held = await readHeld(ports.log, record.runs, [collection]);
  const vectors = matched.flatMap((match) => vectorOf(match, held, collection, ports.model));
  const fresh = vectors.filter((vector) => {
    const before = held[collection].get(vector.id);
    return before === undefined || !isSame(before, vector);
  });
  const refused = matched.filter(({ row }) => row.embedding === undefined);
  // What the log has a vector of was embedded by the other path meanwhile: that one counts.
  const missing = refused.filter(({ row }) => {
    const before = held[collection].get(row.custom_id);
    return before === undefined || before.input_hash !== row.input_hash;
  });
  const news = missing.filter(
    ({ row }) => held.refused.get(row.custom_id)?.input_hash !== row.input_hash,
  );
  const by = { writer: ports.writer, now: toTimestamp(ports.clock()), stores: ports.stores };
  let logged: EmbeddedReceipt;
  if (fresh.length + news.length === 0) {
    // An earlier try has logged it, or the other path: what the stores get is marked all the same.
    logged = await ports.writeRecord(read, withMark(record, by));
  } else {
    const part = { receipt, collection, record, items, fresh, refused: missing, written };
    const run = await writeRun(part, ports);
    logged = await ports.writeRecord(read, withRun(record, run, by));
    if (ports.compactionRuns) {
      await ports.recordRun(newCompactionRun(receipt, run.run_id, ports.clock()));
    }
  }
  const { sequence } = logged;
  return [
    ...vectors.map(({ id, vector, metadata }) => ({
      id,
      text: metadata.text,
      sequence,
      embedding: encodeVector(vector),
      metadata: { ...metadata },
    })),
    ...refused.map(({ row, item }) => ({
      id: item.id,
      text: item.entity.text,
      sequence,
      refused: row.refused ?? '',
    })),
  ];
}

function matchRows(
  rows: readonly PartRow[],
  items: EmbeddingItems,
  collection: VectorCollection,
): Matched[] {
  const byId = new Map<string, LineItem | WordItem>(
    items[collection].map((item) => [item.id, item] as const),
  );
  return rows.flatMap((row) => {
    const item = byId.get(row.custom_id);
    const edited = row.text !== undefined && item?.entity.text !== row.text;
    return item === undefined || edited ? [] : [{ row, item }];
  });
}

/** What is to be known of a line or word: the batch's vector, unless the log has one of what its row, with its neighbours, says now. */
function vectorOf(
  { row, item }: Matched,
  held: HeldVectors,
  collection: VectorCollection,
  model: EmbeddingModel,
): LoggedVector[] {
  if (row.embedding === undefined) return [];
  const now = inputHash(item.input);
  const before = held[collection].get(item.id);
  if (before?.input_hash === now && isSameModel(before.run, model)) {
    const metadata = {
      ...item.metadata,
      source: before.metadata.source,
    } as LoggedVector['metadata'];
    return [{ id: item.id, vector: before.vector, metadata, input_hash: now }];
  }
  const { metadata } = item;
  return [
    { id: item.id, vector: decodeVector(row.embedding), metadata, input_hash: row.input_hash },
  ];
}

interface RunOfPart {
  readonly receipt: ReceiptIdentity;
  readonly collection: VectorCollection;
  readonly record: EmbeddedReceipt;
  readonly items: EmbeddingItems;
  readonly fresh: readonly LoggedVector[];
  readonly refused: readonly Matched[];
  /** Ids of the runs that this invocation has written, by their digests. */
  readonly written: Map<string, string>;
}

/** What the run has of each collection; undefined where it is not of that one. */
type RunVectors = Readonly<Partial<Record<VectorCollection, readonly LoggedVector[]>>>;

async function writeRun(part: RunOfPart, ports: LogResultsPorts): Promise<LoggedRun> {
  const { receipt, collection, record, refused } = part;
  const { model, log } = ports;
  const whole = record.runs.length > MOST_RUNS_ABOVE;
  const vectors: RunVectors = whole ? await everything(part, ports) : { [collection]: part.fresh };
  const refusals = refused.map(({ row, item }) => ({
    id: item.id,
    input_hash: row.input_hash,
    reason: (row.refused ?? '').slice(0, REASON_CHARACTERS),
  }));
  const digestOf = (of: VectorCollection): string | undefined => {
    const list = vectors[of];
    if (list === undefined) return undefined;
    return collectionDigest([
      ...list,
      ...(of === collection ? refused.map(({ item }) => entryOf(item)) : []),
    ]);
  };
  const digests = { lines: digestOf('lines'), words: digestOf('words') };
  const content = JSON.stringify([digests.lines, digests.words]);
  const run_id =
    part.written.get(content) ??
    runId({
      receipt,
      model,
      sequence: record.sequence,
      digests: {
        ...(digests.lines === undefined ? {} : { lines: digests.lines }),
        ...(digests.words === undefined ? {} : { words: digests.words }),
      },
      forced_by: null,
    });
  part.written.set(content, run_id);
  await mapSettled(
    COLLECTIONS,
    async (of) => {
      const list = vectors[of];
      // A compactor reads both deltas of a run: one of them may be empty.
      if (list === undefined && !ports.compactionRuns) return;
      const content = { vectors: list ?? [], refused: of === collection ? refusals : [] };
      await log.write({ ...receipt, run_id }, of, model.dimensions, content);
    },
    { atOnce: COLLECTIONS.length },
  );
  const told = (of: VectorCollection): LoggedRun['lines'] => {
    const digest = digests[of];
    return digest === undefined ? null : { digest, vectors: vectors[of]?.length ?? 0 };
  };
  return {
    run_id,
    path: 'batch',
    format: CONTENT_FORMAT,
    ...model,
    whole,
    lines: told('lines'),
    words: told('words'),
    refused: refusals.slice(0, REFUSED_NAMED).map((one) => namedRefusal('openai', one)),
    refused_count: refusals.length,
    forced_by: null,
    written_by: ports.writer,
    created_at: toTimestamp(ports.clock()),
  };
}

/** All that the log has of the receipt's present lines and words, and what is new. */
async function everything(
  { record, items, collection, fresh }: RunOfPart,
  { log, model }: LogResultsPorts,
): Promise<RunVectors> {
  const held = await readHeld(log, record.runs);
  const all = (of: VectorCollection): LoggedVector[] => {
    const vectors = new Map<string, LoggedVector>();
    for (const { id } of items[of]) {
      const vector = held[of].get(id);
      if (vector !== undefined && isSameModel(vector.run, model)) vectors.set(id, vector);
    }
    if (of === collection) for (const vector of fresh) vectors.set(vector.id, vector);
    return [...vectors.values()];
  };
  return { lines: all('lines'), words: all('words') };
}
