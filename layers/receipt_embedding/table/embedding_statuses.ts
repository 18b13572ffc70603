import { workOn } from '../bounded_work.ts';
import type { RowKey } from '../entities/keys.ts';
import { type EmbeddingStatus, embeddingStatusKey } from '../entities/line_and_word.ts';
import { ConcurrentUpdate } from '../errors.ts';
import { RETRY_POLICIES, retrying } from '../retry.ts';
import { getRow, type RetryOptions, type Table, updateRow } from './table.ts';

/** A line or word as it was read: its status may change only while it still is this. */
export interface StatusHolder extends RowKey {
  readonly text: string;
  readonly embedding_status: EmbeddingStatus;
}

/**
 * `changed`: set now. `unchanged`: it was so already. `deleted`: the row is gone. `edited`: its text is
 * another by now, so that what was embedded is not what it says, and its status is left to the next run.
 */
type StatusChange = 'changed' | 'unchanged' | 'deleted' | 'edited';

/** How many rows went which way. */
export type StatusChanges = Readonly<Record<StatusChange, number>>;

/** How many rows change at once: half the connections that an AWS client keeps, so that a burst of updates starves nobody. */
export const UPDATES_AT_ONCE = 25;

/**
 * Sets the embedding status of many lines and words, 25 at a time. When one fails, those under way are waited for; what they
 * changed stays changed. @see setEmbeddingStatus
 *
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
): Promise<StatusChanges> {
  const changes = { changed: 0, unchanged: 0, deleted: 0, edited: 0 };
  const outcomes = await workOn(
    holders,
    (holder) => setEmbeddingStatus(table, holder, status),
    UPDATES_AT_ONCE,
  );
  for (const outcome of outcomes) changes[outcome]++;
  return changes;
}

/**
 * Sets the embedding status of one line or word, on condition that the row exists, says the same text, and has the
 * status it is changed from. When somebody else changes the status meanwhile, theirs is read and the change tried
 * again from there.
 *
 * @throws ConcurrentUpdate when the status changes under every one of 5 tries.
 */
export async function setEmbeddingStatus(
  table: Table,
  holder: StatusHolder,
  status: EmbeddingStatus,
): Promise<StatusChange> {
  let from = holder.embedding_status;
  if (from === status) return 'unchanged';
  const outcome = await settleStatus<'unchanged' | 'edited'>(table, holder, {
    change: () => {
      // A legacy row without a status counts as NONE.
      const unset = from === 'NONE' ? ' OR attribute_not_exists(embedding_status)' : '';
      return {
        to: status,
        condition: `#text = :text AND (embedding_status = :from${unset})`,
        names: { '#text': 'text' },
        values: { text: holder.text, from },
      };
    },
    judge: (row) => {
      if (row.text !== holder.text) return 'edited';
      from = row.embedding_status ?? 'NONE';
      return from === status ? 'unchanged' : undefined;
    },
  });
  return outcome === 'settled' ? 'changed' : outcome;
}

/** The attribute of a line or word that names the batch that has claimed it; it exists as long as that claim. */
export const CLAIM_ATTRIBUTE = 'embedding_batch_id';

/** What a line's or word's status may depend on. */
export interface StatusRow {
  readonly text: string;
  readonly embedding_status?: EmbeddingStatus;
  readonly [CLAIM_ATTRIBUTE]?: string;
}

interface StatusUpdate {
  readonly to: EmbeddingStatus;
  /** The batch that claims the row; otherwise a claim ends with the change. */
  readonly claimedBy?: string;
  /** Beside that the row exists. */
  readonly condition: string;
  readonly names?: Readonly<Record<string, string>>;
  /** By their names in the condition, without the colon. */
  readonly values: Readonly<Record<string, string>>;
}

interface Settlement<Outcome> {
  /** The update of the next round. */
  readonly change: () => StatusUpdate;
  /** What the row says about a condition that did not hold; undefined when it should have. */
  readonly judge: (row: StatusRow) => Outcome | undefined;
}

/**
 * Changes a status. Where the condition does not hold, the row is read and judged; a row that should have been changed has been
 * changed by somebody in between, and is tried again.
 *
 * @returns `settled` when it is changed, `deleted` when the row is gone, else what `judge` says.
 * @throws ConcurrentUpdate when the row changes under every one of 5 tries.
 */
export async function settleStatus<Outcome extends string>(
  table: Table,
  key: RowKey,
  { change, judge }: Settlement<Outcome>,
  options: RetryOptions = {},
): Promise<Outcome | 'settled' | 'deleted'> {
  const policy = RETRY_POLICIES.contended_row;
  return await retrying(policy, async () => {
    if (await updateStatus(table, key, change(), options)) return 'settled';
    const row = await readStatus(table, key, options);
    if (row === undefined) return 'deleted';
    const outcome = judge(row);
    if (outcome !== undefined) return outcome;
    throw new ConcurrentUpdate(
      `the embedding status of ${key.PK}#${key.SK} changed under each of ${policy.tries.ConcurrentUpdate} tries to set it`,
    );
  });
}

/**
 * Changes an embedding status: all that a status is made of in one update, and nothing else of the row.
 *
 * @returns false when the condition did not hold.
 * @example
 * ```ts
 * await updateStatus(table, key, { to: 'NONE', condition: 'embedding_status = :seen', values: { seen: 'FAILED' } });
 * ```
 */
export async function updateStatus(
  table: Table,
  key: RowKey,
  { to, claimedBy, condition, names, values }: StatusUpdate,
  options: RetryOptions = {},
): Promise<boolean> {
  const claim =
    claimedBy === undefined ? ` REMOVE ${CLAIM_ATTRIBUTE}` : `, ${CLAIM_ATTRIBUTE} = :claim`;
  return await updateRow(
    table,
    key,
    {
      UpdateExpression: `SET embedding_status = :to, GSI1PK = :key${claim}`,
      ConditionExpression: `attribute_exists(PK) AND ${condition}`,
      ...(names === undefined ? {} : { ExpressionAttributeNames: { ...names } }),
      values: { to, key: embeddingStatusKey(to), claim: claimedBy, ...values },
    },
    options,
  );
}

/** Reads it consistently. @returns undefined when the row is gone. */
export async function readStatus(
  table: Table,
  key: RowKey,
  options: RetryOptions = {},
): Promise<StatusRow | undefined> {
  const read = {
    ProjectionExpression: `#text, embedding_status, ${CLAIM_ATTRIBUTE}`,
    ExpressionAttributeNames: { '#text': 'text' },
    ConsistentRead: true,
  };
  return (await getRow(table, key, read, options)) as StatusRow | undefined;
}
