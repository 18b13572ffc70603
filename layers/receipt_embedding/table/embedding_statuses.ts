import type { Row, RowKey } from '../entities/keys.ts';
import { type EmbeddingStatus, embeddingStatusKey } from '../entities/line_and_word.ts';
import { ConcurrentUpdate } from '../errors.ts';
import { RETRY_POLICIES, type RetryPorts, retrying } from '../retry.ts';
import { mapSettled } from '../settled_map.ts';
import type { Table } from './table.ts';
import {
  changeRow,
  changeRows,
  type RowChange,
  type RowCondition,
  type RowConflict,
  type RowOutcome,
} from './update_statements.ts';

/** A line or word as it was read: its status may change only while it still is this. */
export interface StatusHolder extends RowKey {
  readonly text: string;
  readonly embedding_status: EmbeddingStatus;
  /** Whether the row of a line or word that is to do says so by having no status, as legacy rows do. @default false */
  readonly status_missing?: boolean;
}

/**
 * `changed`: set now. `unchanged`: it was so already. `deleted`: the row is gone. `edited`: its text is
 * another by now, so that what was embedded is not what it says, or it has become noise; its status is left to the next run.
 */
type StatusChange = 'changed' | 'unchanged' | 'deleted' | 'edited';

/** How many rows went which way. */
export type StatusChanges = Readonly<Record<StatusChange, number>>;

/** How many rows are read, or changed one by one, at once: half the connections that an AWS client keeps, so that a burst starves nobody. */
export const UPDATES_AT_ONCE = 25;

/**
 * Sets the embedding status of many lines and words, each on condition that the row exists, says the same text, and has the
 * status it is changed from. When somebody else changes the status meanwhile, theirs is what it is changed from. @see changeRows
 *
 * @throws ConcurrentUpdate when a status changes under every one of 5 tries; what changeRows throws.
 * @example
 * ```ts
 * await setEmbeddingStatuses(table, [{ PK, SK, text: 'MILK', embedding_status: 'NONE' }], 'SUCCESS');
 * // { changed: 1, unchanged: 0, deleted: 0, edited: 0 }
 * ```
 */
export async function setEmbeddingStatuses(
  table: Table,
  holders: readonly StatusHolder[],
  status: EmbeddingStatus,
  ports?: RetryPorts,
): Promise<StatusChanges> {
  const others = holders.filter(({ embedding_status }) => embedding_status !== status);
  const settlements = others.map(
    ({ PK, SK, text, embedding_status, status_missing = false }): Settlement<StatusChange> => {
      const isMissing = status_missing && embedding_status === 'NONE';
      return {
        key: { PK, SK },
        to: status,
        where: { text, embedding_status: isMissing ? undefined : embedding_status },
        judge: (row) => {
          if (row.text !== text || row.embedding_status === 'NOISE') return 'edited';
          const unchanged = (row.embedding_status ?? 'NONE') === status;
          return unchanged ? 'unchanged' : { text, embedding_status: row.embedding_status };
        },
      };
    },
  );
  const changes = { changed: 0, unchanged: holders.length - others.length, deleted: 0, edited: 0 };
  for (const outcome of await settleStatuses(table, settlements, ports)) {
    changes[outcome === 'settled' ? 'changed' : outcome]++;
  }
  return changes;
}

/** The attribute of a line or word that names the batch that has claimed it. Beside another status than PENDING it means nothing. */
export const CLAIM_ATTRIBUTE = 'embedding_batch_id';

/** What a line's or word's status may depend on. */
export interface StatusRow extends Row {
  readonly text: string;
  /** Absent of a legacy row, which counts as NONE. */
  readonly embedding_status?: EmbeddingStatus;
  readonly [CLAIM_ATTRIBUTE]?: string;
}

/** A status that is to change, in the usual case at once. */
export interface Settlement<Outcome extends string> {
  readonly key: RowKey;
  readonly to: EmbeddingStatus;
  /** The batch that claims the row; otherwise a claim ends with the change. */
  readonly claimedBy?: string;
  /** How the row is, as far as is known. */
  readonly where: RowCondition;
  /** What a row says that is otherwise: what has become of it; or, where it is to be changed all the same, how it is now. */
  readonly judge: (row: StatusRow) => Outcome | RowCondition;
  /** The batch that settles. Its name is taken off the row where that stays as it is and is nobody's claim. */
  readonly batchId?: string | undefined;
}

/**
 * Changes statuses. The usual case goes many rows a request; a row that is not as it was read is judged by what it is now and, where
 * it is to be changed all the same, tried again by itself.
 *
 * Other programs know statuses, and not who claims: one that makes a claimed word noise, or sets it to NONE again, leaves the
 * batch's name there. Nobody but that batch ever comes back for it.
 *
 * @returns for each: `settled` when it is changed, `deleted` when the row is gone, else what `judge` says.
 * @throws ConcurrentUpdate when a row changes under every one of 5 tries; what changeRows throws.
 */
export async function settleStatuses<Outcome extends string>(
  table: Table,
  settlements: readonly Settlement<Outcome>[],
  ports?: RetryPorts,
): Promise<(Outcome | 'settled' | 'deleted')[]> {
  const first = await changeRows(
    table,
    settlements.map((settlement) => statusChange(settlement)),
    ports,
  );
  const outcomes = settlements.map((): Outcome | 'settled' | 'deleted' => 'settled');
  const others = [...first.entries()].filter(([, { outcome }]) => outcome !== 'changed');
  await mapSettled(
    others,
    async ([at, outcome]) => {
      const settlement = settlements[at];
      if (settlement === undefined) return;
      outcomes[at] = await goOn(table, settlement, outcome, ports);
    },
    { atOnce: UPDATES_AT_ONCE },
  );
  return outcomes;
}

/** Goes on with a row whose first try came to this. */
async function goOn<Outcome extends string>(
  table: Table,
  settlement: Settlement<Outcome>,
  first: RowOutcome | RowConflict,
  ports: RetryPorts | undefined,
): Promise<Outcome | 'settled' | 'deleted'> {
  const policy = RETRY_POLICIES.contended_row;
  const { key, judge, batchId } = settlement;
  let { where } = settlement;
  let tried: RowOutcome | RowConflict | undefined = first;
  return await retrying(policy, async () => {
    const found = tried ?? (await changeRow(table, statusChange({ ...settlement, where }), ports));
    tried = undefined;
    if (found.outcome === 'changed') return 'settled';
    if (found.outcome === 'conflict') throw found.error;
    if (found.row === undefined) return 'deleted';
    const row = found.row as StatusRow;
    const judged = judge(row);
    if (typeof judged === 'string') {
      if (batchId !== undefined) await removeName(table, key, row, batchId, ports);
      return judged;
    }
    where = judged;
    throw new ConcurrentUpdate(
      `the embedding status of ${key.PK}#${key.SK} changed under each of ${policy.tries.ConcurrentUpdate} tries to set it`,
    );
  });
}

/**
 * All that a status is made of, in one change, and nothing else of the row.
 *
 * @example
 * ```ts
 * statusChange({ key, to: 'NONE', where: { embedding_status: 'FAILED' } });
 * ```
 */
export function statusChange({
  key,
  to,
  claimedBy,
  where,
}: Pick<Settlement<string>, 'key' | 'to' | 'claimedBy' | 'where'>): RowChange {
  const status = { embedding_status: to, GSI1PK: embeddingStatusKey(to) };
  return claimedBy === undefined
    ? { key, where, set: status, remove: [CLAIM_ATTRIBUTE] }
    : { key, where, set: { ...status, [CLAIM_ATTRIBUTE]: claimedBy } };
}

/** Takes a batch's name off a row that it has not claimed, while the row is as it was found. Whoever comes first does it. */
async function removeName(
  table: Table,
  key: RowKey,
  { embedding_status, [CLAIM_ATTRIBUTE]: name }: StatusRow,
  batchId: string,
  ports: RetryPorts | undefined,
): Promise<void> {
  if (name !== batchId || embedding_status === 'PENDING') return;
  const where = { embedding_status, [CLAIM_ATTRIBUTE]: batchId };
  await changeRow(table, { key, set: {}, remove: [CLAIM_ATTRIBUTE], where }, ports);
}
