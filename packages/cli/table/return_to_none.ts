import { batchSummaryKey, ENDED_BATCH_STATUSES } from 'receipt-embedding/entities/batch';
import { type ReceiptIdentity, receiptPath, rowKey } from 'receipt-embedding/entities/keys';
import type { EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import type { Logger } from 'receipt-embedding/ports';
import { BULK } from 'receipt-embedding/retry';
import { readActiveBatches } from 'receipt-embedding/table/batch_listing';
import {
  CLAIM_ATTRIBUTE,
  statusChange,
  type StatusRow,
} from 'receipt-embedding/table/embedding_statuses';
import { getRow, queryPages, type Table } from 'receipt-embedding/table/table';
import { changeRow } from 'receipt-embedding/table/update_statements';
import type { UnsettledEntity } from './unsettled_entities.ts';

/**
 * `returned`: NONE now, by this or by another command. `changed`: it is no longer as it was read, and stays as it is.
 * `deleted`: the row is gone.
 */
export type ReturnOutcome =
  | { readonly outcome: 'returned' }
  | { readonly outcome: 'deleted' }
  | { readonly outcome: 'changed'; readonly status: EmbeddingStatus; readonly owner?: string };

/**
 * Returns a line or word to NONE, so that the next run does it again, on condition that its status and its claim's owner are
 * exactly as they were read. What it says does not matter.
 *
 * @throws RateLimited when DynamoDB throttles it until the retries end.
 */
export async function returnToNone(table: Table, read: UnsettledEntity): Promise<ReturnOutcome> {
  const { PK, SK, status, owner } = read;
  const where = { embedding_status: status, [CLAIM_ATTRIBUTE]: owner };
  const found = await changeRow(table, statusChange({ key: { PK, SK }, to: 'NONE', where }));
  if (found.outcome === 'changed') return { outcome: 'returned' };
  const row = found.row as StatusRow | undefined;
  if (row === undefined) return { outcome: 'deleted' };
  const now = row.embedding_status ?? 'NONE';
  // Also where the answer to a first try was lost, and the client has made a second one.
  if (now === 'NONE') return { outcome: 'returned' };
  const ownerNow = row[CLAIM_ATTRIBUTE];
  return {
    outcome: 'changed',
    status: now,
    ...(ownerNow === undefined ? {} : { owner: ownerNow }),
  };
}

/**
 * Whose claims may still be settled. It remembers what it has read, so one of these is for one pass over some rows: a batch that
 * has ended stays so, but one that is not recorded may be recorded later.
 */
export class ClaimOwners {
  readonly #table: Table;
  readonly #logger: Logger;
  readonly #known = new Map<string, Promise<boolean>>();

  constructor(table: Table, logger: Logger) {
    this.#table = table;
    this.#logger = logger;
  }

  /**
   * Whether the batch that has claimed a line or word may still come back to it. Where the claim has no owner, an older system
   * has made it, and any batch of its that has not ended may be the one.
   */
  async isLive({ owner, kind }: Pick<UnsettledEntity, 'owner' | 'kind'>): Promise<boolean> {
    return owner === undefined
      ? await this.#once(kind, () => this.#olderBatchIsActive(kind))
      : await this.#once(owner, () => this.#isActive(owner));
  }

  #once(key: string, read: () => Promise<boolean>): Promise<boolean> {
    const known = this.#known.get(key) ?? read();
    this.#known.set(key, known);
    return known;
  }

  /** An unknown status counts as one that has not ended. */
  async #isActive(batchId: string): Promise<boolean> {
    const row = await getRow(
      this.#table,
      batchSummaryKey(batchId),
      {
        ProjectionExpression: 'PK, SK, #status',
        ExpressionAttributeNames: { '#status': 'status' },
        ConsistentRead: true,
      },
      BULK,
    );
    if (row === undefined) return false;
    return !(ENDED_BATCH_STATUSES as readonly unknown[]).includes(row['status']);
  }

  async #olderBatchIsActive(kind: UnsettledEntity['kind']): Promise<boolean> {
    const { batches } = await readActiveBatches(this.#table, this.#logger, ['submitted_by']);
    const type = kind === 'line' ? 'LINE_EMBEDDING' : 'WORD_EMBEDDING';
    return batches.some((batch) => batch.batch_type === type && batch.submitted_by === undefined);
  }
}

/** Whether the table has the receipt itself or at least a line or word of it. */
export async function receiptExists(table: Table, receipt: ReceiptIdentity): Promise<boolean> {
  const path = receiptPath(receipt);
  const key = rowKey(receipt.image_id, path);
  if ((await getRow(table, key, { ProjectionExpression: 'PK' })) !== undefined) return true;
  const pages = queryPages(table, {
    IndexName: 'GSI3',
    KeyConditionExpression: 'GSI3PK = :receipt',
    ProjectionExpression: 'PK',
    Limit: 1,
    values: { receipt: path },
  });
  for await (const { rows } of pages) if (rows.length > 0) return true;
  return false;
}
