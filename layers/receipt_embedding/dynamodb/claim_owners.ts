import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { batchSummaryKey, ENDED_BATCH_STATUSES } from '../entities/batch_summary.ts';
import type { Logger } from '../ports/logger.ts';
import { whileThrottled } from './backoff.ts';
import { readActiveBatches } from './batch_listing.ts';
import { toRow } from './rows.ts';
import type { SeenEntity } from './seen_entity.ts';
import type { Table } from './table.ts';

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
  async isLive({ owner, kind }: Pick<SeenEntity, 'owner' | 'kind'>): Promise<boolean> {
    return owner === undefined
      ? await this.#once(kind, () => this.#olderBatchIsActive(kind))
      : await this.#once(owner, () => this.#isActive(owner));
  }

  #once(key: string, read: () => Promise<boolean>): Promise<boolean> {
    const known = this.#known.get(key) ?? read();
    this.#known.set(key, known);
    return known;
  }

  /** A status that nobody knows counts as one that has not ended. */
  async #isActive(batchId: string): Promise<boolean> {
    const { Item } = await whileThrottled(() =>
      this.#table.client.send(
        new GetItemCommand({
          TableName: this.#table.name,
          Key: marshall(batchSummaryKey(batchId)),
          ProjectionExpression: 'PK, SK, #status',
          ExpressionAttributeNames: { '#status': 'status' },
          ConsistentRead: true,
        }),
      ),
    );
    if (Item === undefined) return false;
    return !(ENDED_BATCH_STATUSES as readonly unknown[]).includes(toRow(Item)['status']);
  }

  async #olderBatchIsActive(kind: SeenEntity['kind']): Promise<boolean> {
    const { batches } = await readActiveBatches(this.#table, this.#logger, ['submitted_by']);
    const type = kind === 'line' ? 'LINE_EMBEDDING' : 'WORD_EMBEDDING';
    return batches.some((batch) => batch.batch_type === type && batch.submitted_by === undefined);
  }
}
