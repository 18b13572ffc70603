import {
  type EmbeddedReceipt,
  type RefusedEntity,
  withProjected,
} from '../entities/embedded_receipt.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { mapSettled } from '../settled_map.ts';
import { collectionOf } from '../stores/vector_ids.ts';
import type { VectorCollection, VectorRecord } from '../stores/vector_store.ts';
import type { IdentifiedStore, ProjectionPorts } from './delivery_ports.ts';
import { readHeld } from './held_vectors.ts';
import { COLLECTIONS } from './receipt_content.ts';

/** What is to be in the stores, and what is not. */
export interface Projection {
  readonly receipt: ReceiptIdentity;
  /** The runs that the vectors are of, newest first. */
  readonly runs: readonly string[];
  /** Everything that the stores are to have of the receipt. */
  readonly vectors: Readonly<Record<VectorCollection, readonly VectorRecord[]>>;
  /** Those of them that a store lacks which had the runs before whole. */
  readonly changed: Readonly<Record<VectorCollection, readonly VectorRecord[]>>;
  /** Stores that had the runs before whole: they get what has changed alone. */
  readonly current: ReadonlySet<string>;
  /** Vector ids that are to be in no store. */
  readonly removed: readonly string[];
  /** Runs that the stores have nothing of any more, once this is done. */
  readonly replaced: readonly string[];
  /** Ids that may be in stores, and whose rows nobody can read. */
  readonly left: readonly string[];
  /** Marks of others that this writing makes good. */
  readonly dead: readonly string[];
}

/** What projecting has done. */
export interface ProjectedRuns {
  readonly record: EmbeddedReceipt;
  /** Vectors written, over all stores. */
  readonly upserted: number;
  /** What stores refused, by vector id. */
  readonly refused: ReadonlyMap<string, RefusedEntity>;
}

/** After so many newer runs in a row the mark stays, and the next run over the receipt goes on. */
const MOST_LATE = 5;

/**
 * Brings runs into the stores, and notes there that they have them. While somebody else has added a newer run meanwhile, that one is
 * written once more, since ours may have come late and covered it.
 *
 * The record bears the writer's mark already: whoever dies in here is found by it.
 *
 * @throws what a store throws; ConcurrentUpdate when the record changes all the time.
 */
export async function projectRuns(
  projection: Projection,
  ports: ProjectionPorts,
): Promise<ProjectedRuns> {
  const { receipt } = projection;
  const outcomes = await mapSettled(ports.stores, (store) => fill(store, projection), {
    atOnce: Math.max(1, ports.stores.length),
  });
  const refused = new Map<string, RefusedEntity>();
  for (const { refused: ofStore } of outcomes) for (const one of ofStore) refused.set(one.id, one);
  let upserted = outcomes.reduce((sum, outcome) => sum + outcome.upserted, 0);
  const [head = ''] = projection.runs;
  let record = await ports.changeRecord(receipt, (now) => {
    const ours = projection.runs.filter((id) => now.runs.some(({ run_id }) => run_id === id));
    return withProjected(now, {
      writer: ports.writer,
      stores: identities(ports),
      runs: ours,
      replaced: ours.length === 0 ? [] : projection.replaced,
      refused: [...refused.values()],
      refilled: identities(ports).filter((store) => !projection.current.has(store)),
      late: isLate(now, head),
      dead: projection.dead,
      left: projection.left,
    });
  });
  let written: ReadonlySet<string> = idsOf(projection.vectors);
  for (let round = 0; record.marks[ports.writer] !== undefined; round++) {
    if (round === MOST_LATE) {
      ports.logger.warn('newer runs came all the time; the next run over the receipt goes on', {
        ...receipt,
      });
      break;
    }
    const again = await projectNewest(record, written, ports);
    ({ record } = again);
    upserted += again.upserted;
    written = again.written;
  }
  return { record, upserted, refused };
}

/** Writes what the log's recorded runs hold to every store, and removes what a late writer has put beside it. */
async function projectNewest(
  { image_id, receipt_id, runs }: EmbeddedReceipt,
  written: ReadonlySet<string>,
  ports: ProjectionPorts,
): Promise<{
  readonly record: EmbeddedReceipt;
  readonly upserted: number;
  readonly written: ReadonlySet<string>;
}> {
  const held = await readHeld(ports.log, runs);
  const vectors = { lines: [...held.lines.values()], words: [...held.words.values()] };
  const ids = idsOf(vectors);
  const { gone } = await ports.readMissing([...written].filter((id) => !ids.has(id)));
  const receipt = { image_id, receipt_id };
  const projection: Projection = {
    receipt,
    runs: runs.map(({ run_id }) => run_id),
    vectors,
    changed: vectors,
    current: new Set(),
    removed: [...gone],
    replaced: [],
    left: [],
    dead: [],
  };
  const outcomes = await mapSettled(ports.stores, (store) => fill(store, projection), {
    atOnce: Math.max(1, ports.stores.length),
  });
  const [head = ''] = projection.runs;
  const record = await ports.changeRecord(receipt, (now) =>
    withProjected(now, {
      writer: ports.writer,
      stores: identities(ports),
      runs: projection.runs.filter((id) => now.runs.some(({ run_id }) => run_id === id)),
      replaced: [],
      refused: [],
      refilled: [],
      late: isLate(now, head),
      dead: [],
      left: now.left,
    }),
  );
  const upserted = outcomes.reduce((sum, outcome) => sum + outcome.upserted, 0);
  return { record, upserted, written: ids };
}

async function fill(
  { identity, store }: IdentifiedStore,
  { vectors, changed, current, removed }: Projection,
): Promise<{ readonly upserted: number; readonly refused: readonly RefusedEntity[] }> {
  const wanted = current.has(identity) ? changed : vectors;
  let upserted = 0;
  const refused: RefusedEntity[] = [];
  await mapSettled(
    COLLECTIONS,
    async (collection) => {
      const records = wanted[collection];
      if (records.length > 0) {
        const outcome = await store.upsert(collection, records);
        upserted += outcome.stored;
        refused.push(...outcome.refused.map((one) => ({ ...one, input_hash: null, by: identity })));
      }
      const ids = removed.filter((id) => collectionOf(id) === collection);
      if (ids.length > 0) await store.remove(collection, ids);
    },
    { atOnce: COLLECTIONS.length },
  );
  return { upserted, refused };
}

/** Whether somebody has added a run since. */
function isLate({ runs }: EmbeddedReceipt, head: string): boolean {
  return (runs[0]?.run_id ?? '') !== head;
}

function identities({ stores }: ProjectionPorts): string[] {
  return stores.map(({ identity }) => identity);
}

function idsOf(vectors: Projection['vectors']): Set<string> {
  return new Set([...vectors.lines, ...vectors.words].map(({ id }) => id));
}
