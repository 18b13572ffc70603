import { type EmbeddedReceipt, foreignRuns, type LoggedRun } from '../entities/embedded_receipt.ts';
import type { LoggedVector, RefusedInput, VectorLog } from '../log/vector_log.ts';
import type { VectorCollection } from '../stores/vector_store.ts';
import { COLLECTIONS } from './receipt_content.ts';

/** What the log holds of a receipt. */
export interface HeldVectors {
  readonly lines: ReadonlyMap<string, HeldVector>;
  readonly words: ReadonlyMap<string, HeldVector>;
  /** What OpenAI refused, by id, unless it has embedded it since. */
  readonly refused: ReadonlyMap<string, RefusedInput>;
  /** Whether every delta that the record names is there. */
  readonly complete: boolean;
}

export interface HeldVector extends LoggedVector {
  readonly run: LoggedRun;
}

type ReadLog = Pick<VectorLog, 'read'>;

/**
 * Reads the recorded runs, newest first: of what several have, the newest counts.
 *
 * @param collections those that are wanted.
 */
export async function readHeld(
  log: ReadLog,
  runs: readonly LoggedRun[],
  collections: readonly VectorCollection[] = COLLECTIONS,
): Promise<HeldVectors> {
  const held = { lines: new Map<string, HeldVector>(), words: new Map<string, HeldVector>() };
  const refused = new Map<string, RefusedInput>();
  let complete = true;
  // One after the other: a delta of a long receipt takes a hundred megabytes.
  for (const run of runs) {
    for (const collection of collections) {
      const told = run[collection];
      if (told === null || (told.vectors === 0 && run.refused_count === 0)) continue;
      const content = await log.read(run.run_id, collection);
      if (content === undefined) {
        complete = false;
        continue;
      }
      for (const one of content.refused) {
        if (!held[collection].has(one.id) && !refused.has(one.id)) refused.set(one.id, one);
      }
      for (const vector of content.vectors) {
        if (!held[collection].has(vector.id) && !refused.has(vector.id)) {
          held[collection].set(vector.id, { ...vector, run });
        }
      }
    }
  }
  return { ...held, refused, complete };
}

/** The ids that stores may have of runs that are not recorded any more, and of rows that nobody could read. */
export async function readForeignIds(
  log: ReadLog,
  record: EmbeddedReceipt,
  stores: readonly string[],
): Promise<Set<string>> {
  const ids = new Set(record.left);
  for (const runId of foreignRuns(record, stores)) {
    for (const collection of COLLECTIONS) {
      for (const { id } of (await log.read(runId, collection))?.vectors ?? []) ids.add(id);
    }
  }
  return ids;
}
