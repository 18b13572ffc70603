import {
  type EmbeddedReceipt,
  namedRefusal,
  type RefusedEntity,
} from '../entities/embedded_receipt.ts';
import { type Projected, withProjected } from '../entities/record_changes.ts';
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
  /** Ids that may be in stores, and whose rows nobody can read. @default those that the record names */
  readonly left?: readonly string[];
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
  const filled = await fillAll(projection, ports);
  let { upserted } = filled;
  let record = await note(projection, ports, {
    refused: filled.refused,
    refilled: identities(ports).filter((store) => !projection.current.has(store)),
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
  return { record, upserted, refused: new Map(filled.refused.map((one) => [one.id, one])) };
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
    dead: [],
  };
  const { upserted } = await fillAll(projection, ports);
  // Whoever has added these runs tells what the stores refuse of them.
  const record = await note(projection, ports, { refused: [], refilled: [] });
  return { record, upserted, written: ids };
}

/** Notes on the record what the stores have now. */
async function note(
  { receipt, runs, replaced, left, dead }: Projection,
  ports: ProjectionPorts,
  told: Pick<Projected, 'refused' | 'refilled'>,
): Promise<EmbeddedReceipt> {
  const [head = ''] = runs;
  return await ports.changeRecord(receipt, (now) => {
    const ours = runs.filter((id) => now.runs.some(({ run_id }) => run_id === id));
    return withProjected(now, {
      ...told,
      writer: ports.writer,
      stores: identities(ports),
      runs: ours,
      replaced: ours.length === 0 ? [] : replaced,
      // Somebody has added a run since.
      late: (now.runs[0]?.run_id ?? '') !== head,
      dead,
      ...(left === undefined ? {} : { left }),
    });
  });
}

/** What has come of writing: to one store, or over all. */
interface Filled {
  readonly upserted: number;
  readonly refused: readonly RefusedEntity[];
}

async function fillAll(projection: Projection, { stores }: ProjectionPorts): Promise<Filled> {
  const filled = await mapSettled(stores, (store) => fill(store, projection), {
    atOnce: Math.max(1, stores.length),
  });
  return {
    upserted: filled.reduce((sum, { upserted }) => sum + upserted, 0),
    refused: filled.flatMap(({ refused }) => refused),
  };
}

async function fill(
  { identity, store }: IdentifiedStore,
  { vectors, changed, current, removed }: Projection,
): Promise<Filled> {
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
        refused.push(...outcome.refused.map((one) => namedRefusal(identity, one)));
      }
      const ids = removed.filter((id) => collectionOf(id) === collection);
      if (ids.length > 0) await store.remove(collection, ids);
    },
    { atOnce: COLLECTIONS.length },
  );
  return { upserted, refused };
}

function identities({ stores }: ProjectionPorts): string[] {
  return stores.map(({ identity }) => identity);
}

function idsOf(vectors: Projection['vectors']): Set<string> {
  return new Set([...vectors.lines, ...vectors.words].map(({ id }) => id));
}
