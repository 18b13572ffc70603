import {
  type BatchStatus,
  type BatchSummary,
  ENDED_BATCH_STATUSES,
} from 'receipt-embedding/entities/batch';
import { epochMilliseconds, toTimestamp } from 'receipt-embedding/entities/keys';
import { ConcurrentUpdate } from 'receipt-embedding/errors';
import type { Clock } from 'receipt-embedding/ports';
import {
  type BatchChanges,
  type BatchUpdateOptions,
  LEASE_MS,
} from 'receipt-embedding/table/batch_summaries';
import { without } from './without.ts';

/** How long a claim lasts. */
export const CLAIM_MS = LEASE_MS;

/** The row of one batch in memory, with the conditions that dynamodb/batch_summaries.ts puts on its writes. */
export class BatchRecord {
  batch: BatchSummary | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock, batch?: BatchSummary) {
    this.#clock = clock;
    this.batch = batch;
  }

  create(batch: BatchSummary, owner: string): boolean {
    if (this.batch !== undefined) return false;
    this.batch = { ...batch, ...this.#claimOf(owner) };
    return true;
  }

  claim(owner: string): BatchSummary | undefined {
    const { batch } = this;
    if (batch === undefined || isEnded(batch.status) || this.#isAnothers(batch, owner)) {
      return undefined;
    }
    this.batch = { ...batch, ...this.#claimOf(owner) };
    return this.batch;
  }

  update(owner: string, changes: BatchChanges, options: BatchUpdateOptions = {}): void {
    const { batch } = this;
    if (batch?.claimed_by !== owner) throw new ConcurrentUpdate(`the claim of ${owner} is lost`);
    const { endLease = false, clear = [], creatingSince } = options;
    if (creatingSince !== undefined && creatingSince.read !== batch.creating_since) {
      throw new ConcurrentUpdate('it is being created elsewhere');
    }
    const changed: BatchSummary = { ...batch, ...changes };
    const free: BatchSummary = without(
      without(changed, 'claimed_by', 'claim_expires_at'),
      ...(clear as readonly 'attempts'[]),
    );
    this.batch = endLease ? free : { ...free, ...this.#claimOf(owner) };
  }

  #isAnothers({ claimed_by, claim_expires_at = '' }: BatchSummary, owner: string): boolean {
    return (
      claimed_by !== undefined &&
      claimed_by !== owner &&
      epochMilliseconds(claim_expires_at) >= this.#clock().getTime()
    );
  }

  #claimOf(owner: string): { readonly claimed_by: string; readonly claim_expires_at: string } {
    const expiry = new Date(this.#clock().getTime() + CLAIM_MS);
    return { claimed_by: owner, claim_expires_at: toTimestamp(expiry) };
  }
}

function isEnded(status: BatchStatus): boolean {
  return (ENDED_BATCH_STATUSES as readonly BatchStatus[]).includes(status);
}
