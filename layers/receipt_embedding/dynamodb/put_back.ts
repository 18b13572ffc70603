import type { EmbeddingStatus } from '../entities/embedding_status.ts';
import { whileThrottled } from './backoff.ts';
import type { SeenEntity } from './seen_entity.ts';
import { CLAIM_ATTRIBUTE, readStatus, updateStatus } from './status_update.ts';
import type { Table } from './table.ts';

/**
 * `put_back`: NONE now, or somebody else has put it back meanwhile. `changed`: it is no longer as it was seen, and stays as it is.
 * `deleted`: the row is gone.
 */
export type PutBack =
  | { readonly outcome: 'put_back' }
  | { readonly outcome: 'deleted' }
  | { readonly outcome: 'changed'; readonly status: EmbeddingStatus; readonly owner?: string };

/**
 * Puts a line or word back to NONE, so that the next run does it again, on condition that its status and its claim's owner are
 * exactly as they were seen. What it says does not matter.
 *
 * @throws RateLimited when DynamoDB throttles it for good.
 */
export async function putBack(table: Table, seen: SeenEntity): Promise<PutBack> {
  const { status, owner } = seen;
  const owned =
    owner === undefined
      ? `attribute_not_exists(${CLAIM_ATTRIBUTE})`
      : `${CLAIM_ATTRIBUTE} = :owner`;
  const done = await whileThrottled(() =>
    updateStatus(table, seen, {
      to: 'NONE',
      condition: `embedding_status = :seen AND ${owned}`,
      values: { ':seen': status, ...(owner === undefined ? {} : { ':owner': owner }) },
    }),
  );
  if (done) return { outcome: 'put_back' };
  const row = await whileThrottled(() => readStatus(table, seen));
  if (row === undefined) return { outcome: 'deleted' };
  const now = row.embedding_status ?? 'NONE';
  // Also where the answer to a first try was lost, and the client has made a second one.
  if (now === 'NONE') return { outcome: 'put_back' };
  const ownerNow = row[CLAIM_ATTRIBUTE];
  return {
    outcome: 'changed',
    status: now,
    ...(ownerNow === undefined ? {} : { owner: ownerNow }),
  };
}
