import { isSameModel, type RememberingEmbedder } from '../embeddings/embedder.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { newCompactionRun } from '../entities/compaction_run.ts';
import { type EmbeddedReceipt, foreignRuns } from '../entities/embedded_receipt.ts';
import { withMark, withoutRuns, withRun } from '../entities/record_changes.ts';
import { type ReceiptIdentity, toTimestamp } from '../entities/keys.ts';
import type { LoggedVector } from '../log/vector_log.ts';
import { knownMerchant, type Merchant } from '../merchants/resolve_merchant.ts';
import { collectionOf } from '../stores/vector_ids.ts';
import type { VectorCollection } from '../stores/vector_store.ts';
import type { MissingRows } from '../table/missing_rows.ts';
import type { ReceiptContents } from '../table/receipt_contents.ts';
import type { DeliveryPorts } from './delivery_ports.ts';
import type { HeldVectors } from './held_vectors.ts';
import { makeRun, type NewRun } from './new_run.ts';
import { type ProjectedRuns, type Projection, projectRuns } from './project_runs.ts';
import {
  allItems,
  COLLECTIONS,
  inputHash,
  isSame,
  type ReceiptContent,
} from './receipt_content.ts';
import { deadMarks, storesHave } from './up_to_date.ts';

/** A receipt, as it was found. */
export interface Begun {
  readonly receipt: ReceiptIdentity;
  /** The record as it was read; undefined where there was none. */
  readonly read: EmbeddedReceipt | undefined;
  readonly record: EmbeddedReceipt;
  readonly contents: ReceiptContents;
  readonly content: ReceiptContent;
  readonly held: HeldVectors;
  /** What has become of vectors that no row of the receipt has. */
  readonly missing: MissingRows;
  readonly stores: readonly string[];
}

/** Takes the vectors of a receipt whose lines and words are gone out of the stores. @returns how many lines and words that are. */
export async function removeReceipt(begun: Begun, ports: DeliveryPorts): Promise<number> {
  const { read, record, missing, stores } = begun;
  const now = toTimestamp(ports.clock());
  const dead = deadMarks(record, ports.writer, ports.clock());
  // Marked first: whoever embeds the receipt meanwhile is covered by what is removed now, and must know.
  const marked = await ports.writeRecord(
    read,
    withMark(record, { writer: ports.writer, now, stores }),
  );
  const gone = [...missing.gone];
  for (const { store } of ports.stores) {
    for (const collection of COLLECTIONS) {
      const ids = gone.filter((id) => collectionOf(id) === collection);
      if (ids.length > 0) await store.remove(collection, ids);
    }
  }
  // What can't be read may be there: the receipt is not gone as long as any of its rows is.
  if (missing.unreadable.size === 0) {
    await ports.writeRecord(marked, withoutRuns(marked, stores, [ports.writer, ...dead], now));
  }
  return gone.length;
}

/** Brings what the log has into the stores that lack it, or that a dead writer may have spoilt. */
export async function projectAgain(
  { receipt, read, record, held, missing, stores }: Begun,
  ports: DeliveryPorts,
): Promise<ProjectedRuns> {
  const dead = deadMarks(record, ports.writer, ports.clock());
  const marked = await ports.writeRecord(
    read,
    withMark(record, { writer: ports.writer, now: toTimestamp(ports.clock()), stores }),
  );
  await orderCompaction(marked, ports);
  const vectors = { lines: [...held.lines.values()], words: [...held.words.values()] };
  const projection: Projection = {
    receipt,
    runs: record.runs.map(({ run_id }) => run_id),
    vectors,
    changed: NOTHING,
    // A store that has everything already gets nothing, where nobody has spoilt it.
    current: new Set(stores.filter((store) => dead.length === 0 && storesHave(record, [store]))),
    removed: [...missing.gone],
    replaced: foreignRuns(record, stores),
    left: [...missing.unreadable],
    dead,
  };
  return await projectRuns(projection, ports);
}

const NOTHING: Projection['changed'] = { lines: [], words: [] };

/** Makes a new run, records it, and brings it into the stores. */
export async function embedAnew(
  begun: Begun,
  forcedBy: string | undefined,
  embedder: RememberingEmbedder,
  ports: DeliveryPorts,
): Promise<{
  readonly merchant: Merchant;
  readonly made: NewRun;
  readonly projected: ProjectedRuns;
}> {
  const { receipt, read, record, contents, content, held, missing, stores } = begun;
  if (forcedBy === undefined) remember(embedder, content, held);
  const known = namedMerchant(contents);
  const merchant =
    known.name === undefined ? await ports.resolveMerchant(contents, embedder) : known;
  const items =
    merchant.name === known.name
      ? content.items
      : embeddingItems(contents, merchant.name, 'realtime');
  const made = await makeRun(
    { receipt, record, content, items, held, stores, forcedBy },
    { ...ports, embedder, now: ports.clock() },
  );
  const { run } = made;
  const dead = deadMarks(record, ports.writer, ports.clock());
  const now = toTimestamp(ports.clock());
  const recorded = await ports.writeRecord(
    read,
    withRun(record, run, { writer: ports.writer, now, stores }),
  );
  await orderCompaction(recorded, ports);
  const ids = madeIds(made);
  const refusedNow = allItems(content)
    .map(({ id }) => id)
    .filter((id) => !ids.has(id));
  const undisturbed = forcedBy === undefined && Object.keys(record.marks).length === 0;
  const projected = await projectRuns(
    {
      receipt,
      runs: [run.run_id],
      vectors: made.vectors,
      changed: {
        lines: changedOf('lines', made, held),
        words: changedOf('words', made, held),
      },
      current: new Set(
        stores.filter(
          (store) =>
            undisturbed &&
            held.complete &&
            record.runs.length > 0 &&
            record.runs.every((one) => one.refused_count <= one.refused.length) &&
            storesHave(record, [store]),
        ),
      ),
      removed: [...missing.gone, ...refusedNow],
      replaced: [...record.runs.map(({ run_id }) => run_id), ...foreignRuns(record, stores)],
      left: [...missing.unreadable],
      dead,
    },
    ports,
  );
  return { merchant, made, projected };
}

/** The compactor learns of each run once: also of one whose writer died before it could say so. */
async function orderCompaction(
  { image_id, receipt_id, runs }: EmbeddedReceipt,
  { recordRun, clock }: DeliveryPorts,
): Promise<void> {
  const [newest] = runs;
  if (newest?.path !== 'realtime') return;
  await recordRun(newCompactionRun({ image_id, receipt_id }, newest.run_id, clock()));
}

/** What was bought of lines serves a merchant's look-up, too. */
function remember(embedder: RememberingEmbedder, content: ReceiptContent, held: HeldVectors): void {
  for (const { id, input } of allItems(content)) {
    const vector = held.lines.get(id) ?? held.words.get(id);
    if (vector === undefined || !isSameModel(vector.run, embedder)) continue;
    if (vector.input_hash === inputHash(input)) embedder.remember(input, vector.vector);
  }
}

function changedOf(
  collection: VectorCollection,
  { vectors }: NewRun,
  held: HeldVectors,
): LoggedVector[] {
  return vectors[collection].filter((vector) => {
    const before = held[collection].get(vector.id);
    return before === undefined || !isSame(before, vector);
  });
}

function madeIds({ vectors }: NewRun): Set<string> {
  return new Set([...vectors.lines, ...vectors.words].map(({ id }) => id));
}

/** The merchant that a receipt names itself. */
export function namedMerchant({ metadata }: ReceiptContents): Merchant {
  const name = knownMerchant(metadata);
  return { name, source: name === undefined ? 'unknown' : 'metadata' };
}
