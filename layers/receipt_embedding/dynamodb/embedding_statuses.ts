import pMap from 'p-map';
import type { EmbeddingStatus } from '../entities/embedding_status.ts';
import type { RowKey } from '../entities/keys.ts';
import { ConcurrentUpdate } from '../errors.ts';
import { readStatus, UPDATES_AT_ONCE, updateStatus } from './status_update.ts';
import type { Table } from './table.ts';

/** A line or word as it was read: its status may change only while it still is this. */
export interface StatusHolder extends RowKey {
  readonly text: string;
  readonly embedding_status: EmbeddingStatus;
}

/**
 * `changed`: set now. `unchanged`: it was so already. `deleted`: the row is gone. `edited`: its text is
 * another by now, so that what was embedded is not what it says, and its status is left to the next run.
 */
export type StatusChange = 'changed' | 'unchanged' | 'deleted' | 'edited';

/** How many rows went which way. */
export type StatusChanges = Readonly<Record<StatusChange, number>>;

const ATTEMPTS = 5;

/** Sets the embedding status of many lines and words, 25 at a time. @see setEmbeddingStatus */
export async function setEmbeddingStatuses(
  table: Table,
  holders: readonly StatusHolder[],
  status: EmbeddingStatus,
): Promise<StatusChanges> {
  const changes = { changed: 0, unchanged: 0, deleted: 0, edited: 0 };
  await pMap(
    holders,
    async (holder) => {
      changes[await setEmbeddingStatus(table, holder, status)]++;
    },
    { concurrency: UPDATES_AT_ONCE },
  );
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
  let current: EmbeddingStatus = holder.embedding_status;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (current === status) return 'unchanged';
    if (await update(table, holder, current, status)) return 'changed';
    const row = await readStatus(table, holder);
    if (row === undefined) return 'deleted';
    if (row.text !== holder.text) return 'edited';
    current = row.embedding_status ?? 'NONE';
  }
  throw new ConcurrentUpdate(
    `the embedding status of ${holder.PK}#${holder.SK} changed under each of ${ATTEMPTS} tries to set it`,
  );
}

/** @returns false when the condition did not hold. */
async function update(
  table: Table,
  holder: StatusHolder,
  from: EmbeddingStatus,
  to: EmbeddingStatus,
): Promise<boolean> {
  // A row of old that has no status counts as NONE.
  const unset = from === 'NONE' ? ' OR attribute_not_exists(embedding_status)' : '';
  return await updateStatus(table, holder, {
    to,
    condition: `#text = :text AND (embedding_status = :from${unset})`,
    names: { '#text': 'text' },
    values: { ':text': holder.text, ':from': from },
  });
}
