import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type BatchSummary, isEnded, isOurs } from 'receipt-embedding/entities/batch';
import { epochMilliseconds } from 'receipt-embedding/entities/keys';
import { iterateSettled } from 'receipt-embedding/settled_map';
import { readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import { UPDATES_AT_ONCE } from 'receipt-embedding/table/embedding_statuses';
import type { Table } from 'receipt-embedding/table/table';
import { WrongArgument } from '../command_line/arguments.ts';
import {
  type ClaimOwners,
  returnToNone,
  type ReturnOutcome,
  receiptExists,
} from '../table/return_to_none.ts';
import {
  entitiesClaimedBy,
  entitiesFailedIn,
  failedEntities,
  type UnsettledEntity,
  unsettledEntitiesOf,
} from '../table/unsettled_entities.ts';
import type { TargetRequest } from './options.ts';

interface TargetPorts {
  readonly table: Table;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** What may be returned to NONE: lines and words that failed, or that are claimed. */
export interface Target {
  readonly entities: AsyncIterable<UnsettledEntity>;
  /** What is worth knowing beside it. */
  readonly note?: string;
  /** A batch that has not ended: what it has claimed is its own, and the next poll is to take it up again. */
  readonly unended?: BatchSummary;
}

/** @throws WrongArgument when there is no such batch or receipt. */
export async function findTarget(request: TargetRequest, ports: TargetPorts): Promise<Target> {
  const { table, signal } = ports;
  switch (request.what) {
    case 'failed':
      return { entities: failedEntities(table, { signal }) };
    case 'batch':
      return await ofBatch(request.batch_id, ports);
    case 'receipt': {
      const { image_id, receipt_id } = request;
      if (await receiptExists(table, { image_id, receipt_id })) {
        return { entities: unsettledEntitiesOf(table, { image_id, receipt_id }, { signal }) };
      }
      throw new WrongArgument(
        `The table ${table.name} has no receipt ${receipt_id} of the image ${image_id} (upper and lower case matter).`,
      );
    }
  }
}

async function ofBatch(batchId: string, { table, now, signal }: TargetPorts): Promise<Target> {
  const batch = await readBatchSummary(table, batchId);
  if (batch === undefined) {
    throw new WrongArgument(
      `The table ${table.name} has no batch ${batchId}. receipts status shows the batches; an id of OpenAI's (batch_…) is another one.`,
    );
  }
  if (!isEnded(batch.status))
    return { entities: none(), note: whyUnended(batch, now()), unended: batch };
  if (!isOurs(batch)) {
    return {
      entities: entitiesFailedIn(table, batchId, { signal }),
      note: "An older system's batch: what it has claimed does not say so. npx receipts redo receipt puts such claims back, receipt by receipt.",
    };
  }
  return {
    entities: (async function* () {
      yield* entitiesFailedIn(table, batchId, { signal });
      yield* entitiesClaimedBy(table, batchId, { signal });
    })(),
  };
}

async function* none(): AsyncGenerator<never> {
  // Nothing.
}

function whyUnended(batch: BatchSummary, now: Date): string {
  const { batch_id, status, parked_at, attempts, last_error, claim_expires_at } = batch;
  const atWork =
    claim_expires_at !== undefined && epochMilliseconds(claim_expires_at) >= now.getTime();
  const how =
    parked_at === undefined
      ? atWork
        ? 'an execution works on it'
        : 'nobody works on it'
      : `it is parked since ${parked_at}, after ${attempts ?? 0} failures`;
  const why = last_error === undefined ? '' : `; the last one was ${last_error}`;
  return `The batch ${batch_id} is ${status}, so it has not ended: ${how}${why}. What it has claimed stays its own.`;
}

/** How many lines and words, by the status that they have. */
type PlannedCounts = Record<'lines' | 'words', Record<UnsettledEntity['status'], number>>;

/** What is to be returned to NONE: the rows themselves are in a file, since they may be millions. */
export interface RedoPlan {
  readonly file: string;
  readonly total: number;
  readonly counts: Readonly<PlannedCounts>;
  /** The keys of the first of them, as vector ids. */
  readonly examples: readonly string[];
  /** Of all, those that no run embeds: noise, or blank. */
  readonly not_embeddable: number;
  /** What stays PENDING, since the batch that has claimed it may still come back to it: how many, by batch. */
  readonly live_claims: Readonly<Record<string, number>>;
}

export interface PlanPorts {
  readonly owners: ClaimOwners;
  /** Where the plan is kept; it does not exist yet. */
  readonly file: string;
  /** Hears how many rows were found so far. */
  readonly onProgress: (found: number) => void;
}

/** The key of `live_claims` for claims without an owner. */
export const OLDER_SYSTEM = 'an older system';

const MOST_EXAMPLES = 20;
/** Written and told at a time. */
const PIECE = 1_000;

/** Reads all that is to be returned to NONE, and writes it down: what is not in the plan is not touched. */
export async function makePlan(
  entities: AsyncIterable<UnsettledEntity>,
  { owners, file, onProgress }: PlanPorts,
): Promise<RedoPlan> {
  const counts: PlannedCounts = {
    lines: { FAILED: 0, PENDING: 0 },
    words: { FAILED: 0, PENDING: 0 },
  };
  const examples: string[] = [];
  const live: Record<string, number> = {};
  let total = 0;
  let notEmbeddable = 0;
  let piece = '';
  const handle = await open(file, 'wx');
  try {
    for await (const entity of entities) {
      if (entity.status === 'PENDING' && (await owners.isLive(entity))) {
        const owner = entity.owner ?? OLDER_SYSTEM;
        live[owner] = (live[owner] ?? 0) + 1;
        continue;
      }
      total++;
      counts[`${entity.kind}s`][entity.status]++;
      if (!entity.embeddable) notEmbeddable++;
      if (examples.length < MOST_EXAMPLES) examples.push(idOf(entity));
      piece += `${JSON.stringify(entity)}\n`;
      if (total % PIECE !== 0) continue;
      onProgress(total);
      await handle.write(piece);
      piece = '';
    }
    await handle.write(piece);
  } finally {
    await handle.close();
  }
  return { file, total, counts, examples, not_embeddable: notEmbeddable, live_claims: live };
}

/** The rows of a plan, as they were read. */
export async function* plannedEntities({ file }: RedoPlan): AsyncGenerator<UnsettledEntity> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  for await (const line of lines) yield JSON.parse(line) as UnsettledEntity;
}

/** A line or word by its key in one string. */
function idOf({ PK, SK }: Pick<UnsettledEntity, 'PK' | 'SK'>): string {
  return `${PK}#${SK}`;
}

/** A line or word that is no longer as it was read, and was left as it is. */
interface ChangedMeanwhile {
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

interface CarryOutPorts {
  readonly table: Table;
  /** A new one: a batch may have been recorded since the plan was made. */
  readonly owners: ClaimOwners;
  /** Ends it after the rows that are under way. */
  readonly signal: AbortSignal;
  /** Hears how many rows are done. */
  readonly onProgress: (done: number) => void;
}

const MOST_LISTED = 20;

/** Returns to NONE what was planned, 25 rows at a time, each on condition that it is as it was read. */
export async function carryOut(
  entities: AsyncIterable<UnsettledEntity>,
  { table, owners, signal, onProgress }: CarryOutPorts,
): Promise<RedoOutcome> {
  const done = { lines: 0, words: 0, changed_meanwhile: 0, deleted: 0 };
  const changed: ChangedMeanwhile[] = [];
  const results = iterateSettled(
    entities,
    async (entity) => {
      if (signal.aborted) return { entity, result: 'left' as const };
      return { entity, result: await returnUnlessLive(table, entity, owners) };
    },
    { atOnce: UPDATES_AT_ONCE, ahead: 2 * UPDATES_AT_ONCE },
  );
  let rows = 0;
  for await (const { entity, result } of results) {
    if (result === 'left') return { ...done, changed, finished: false };
    if (result.outcome === 'returned') done[`${entity.kind}s`]++;
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
async function returnUnlessLive(
  table: Table,
  entity: UnsettledEntity,
  owners: ClaimOwners,
): Promise<ReturnOutcome> {
  const { status, owner } = entity;
  if (status === 'PENDING' && (await owners.isLive(entity))) {
    return { outcome: 'changed', status, ...(owner === undefined ? {} : { owner }) };
  }
  return await returnToNone(table, entity);
}
