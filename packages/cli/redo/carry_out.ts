import { pMapIterable } from 'p-map';
import { UPDATES_AT_ONCE } from 'receipt-embedding/table/embedding_statuses';
import type { Table } from 'receipt-embedding/table/table';
import type { SeenEntity } from '../table/entity_listing.ts';
import { type ClaimOwners, putBack, type PutBack } from '../table/put_back.ts';
import { idOf } from './plan.ts';

/** A line or word that is no longer as it was seen, and was left as it is. */
export interface ChangedMeanwhile {
  readonly id: string;
  /** What it has now. */
  readonly status: string;
  /** The batch that has it now. */
  readonly batch_id?: string;
}

export interface RedoOutcome {
  readonly lines: number;
  readonly words: number;
  readonly changed_meanwhile: number;
  /** The first of those. */
  readonly changed: readonly ChangedMeanwhile[];
  readonly deleted: number;
  /** False when it was stopped before its end. */
  readonly finished: boolean;
}

export interface CarryOutPorts {
  readonly table: Table;
  /** A new one: a batch may have been recorded since the plan was made. */
  readonly owners: ClaimOwners;
  /** Ends it after the rows that are under way. */
  readonly signal: AbortSignal;
  /** Hears how many rows are done. */
  readonly onProgress: (done: number) => void;
}

const MOST_LISTED = 20;

/** Puts back what was planned, 25 rows at a time, each on condition that it is as it was seen. */
export async function carryOut(
  entities: AsyncIterable<SeenEntity>,
  { table, owners, signal, onProgress }: CarryOutPorts,
): Promise<RedoOutcome> {
  const done = { lines: 0, words: 0, changed_meanwhile: 0, deleted: 0 };
  const changed: ChangedMeanwhile[] = [];
  const results = pMapIterable(
    entities,
    async (entity) => {
      if (signal.aborted) return { entity, result: 'left' as const };
      return { entity, result: await putBackUnlessLive(table, entity, owners) };
    },
    { concurrency: UPDATES_AT_ONCE, backpressure: 2 * UPDATES_AT_ONCE },
  );
  let rows = 0;
  for await (const { entity, result } of results) {
    if (result === 'left') return { ...done, changed, finished: false };
    if (result.outcome === 'put_back') done[`${entity.kind}s`]++;
    else if (result.outcome === 'deleted') done.deleted++;
    else {
      done.changed_meanwhile++;
      const { status, owner } = result;
      if (changed.length < MOST_LISTED) {
        changed.push({
          id: idOf(entity),
          status,
          ...(owner === undefined ? {} : { batch_id: owner }),
        });
      }
    }
    onProgress(++rows);
  }
  return { ...done, changed, finished: true };
}

/** A batch that was not recorded when the plan was made may have been submitted under the same id since. */
async function putBackUnlessLive(
  table: Table,
  entity: SeenEntity,
  owners: ClaimOwners,
): Promise<PutBack> {
  const { status, owner } = entity;
  if (status === 'PENDING' && (await owners.isLive(entity))) {
    return { outcome: 'changed', status, ...(owner === undefined ? {} : { owner }) };
  }
  return await putBack(table, entity);
}
