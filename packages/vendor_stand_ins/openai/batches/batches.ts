import { invalidRequest } from '../api_error.ts';
import type { FileStore } from '../files/file_store.ts';
import { Batch, type BatchAccount, type NewBatch } from './batch.ts';
import type { BatchOptions } from './batch_options.ts';
import type { BatchScript, BatchState } from './batch_script.ts';
import { ExpiringRows } from './expiring_rows.ts';
import { type BatchView, ScriptsInForce, viewOf } from './scripts_in_force.ts';

/** What batches have cost. */
export interface BatchTotals {
  /** Created. */
  readonly batches: number;
  /** Rows embedded. */
  readonly requests: number;
  /** Of their inputs. */
  readonly tokens: number;
}

/** The account's batches, and how tests steer them. */
export class Batches {
  readonly #batches = new Map<string, Batch>();
  readonly #account: BatchAccount;
  readonly #clock: () => Date;
  readonly #scripts = new ScriptsInForce();
  #totals: BatchTotals = { batches: 0, requests: 0, tokens: 0 };
  #linesDownloaded = 0;

  constructor(
    files: FileStore,
    { latencyMs, shuffle, expireShare, clock }: Required<Omit<BatchOptions, 'maxFileBytes'>>,
  ) {
    const expiring = new ExpiringRows(expireShare);
    this.#clock = clock;
    this.#account = {
      files,
      latencyMs,
      shuffle,
      expires: (customId) => expiring.strikes(customId),
      scriptOf: (batch) => this.#scripts.of(batch),
      ended: ({ completed, tokens }) => {
        this.#totals = {
          ...this.#totals,
          requests: this.#totals.requests + completed,
          tokens: this.#totals.tokens + tokens,
        };
      },
      lineMade: () => {
        this.#linesDownloaded += 1;
      },
    };
  }

  get totals(): BatchTotals {
    return this.#totals;
  }

  /** Lines of output and error files that were made for a reader: of 1,000 read twice, 2,000. */
  get linesDownloaded(): number {
    return this.#linesDownloaded;
  }

  /**
   * Says what becomes of the batches that `which` names, those to come and those that are on their way: a batch takes
   * the newest script that matches when it takes its next step, and its rows are settled when it ends.
   *
   * @param which every batch, where none is given.
   * @returns takes the script out of force; what has happened by it stays.
   */
  script(script: BatchScript, which: (batch: BatchView) => boolean = () => true): () => void {
    return this.#scripts.add(script, which);
  }

  /**
   * Moves a batch to a state now, through those in between, whatever its latency and script say about the way. What
   * becomes of its rows is the script's; a batch that is moved to `completed` completes.
   *
   * @throws Error for a batch that isn't there, and a state that it can't come to any more: an invalid input file fails
   * its batch.
   */
  advance(id: string, state: BatchState): void {
    const batch = this.#batches.get(id);
    if (batch === undefined) throw new Error(`There is no batch ${id}.`);
    const now = this.#now();
    batch.passTo(now);
    batch.advanceTo(state, now);
  }

  /** Newest first, as they are by now. */
  list(): readonly BatchView[] {
    return this.all().map(viewOf);
  }

  create(created: Omit<NewBatch, 'id' | 'created'>): Batch {
    const number = this.#batches.size + 1;
    const id = `batch_${number.toString(16).padStart(32, '0')}`;
    const batch = new Batch({ ...created, id, created: this.#now() }, this.#account);
    this.#batches.set(id, batch);
    this.#totals = { ...this.#totals, batches: number };
    return batch;
  }

  /**
   * The batch as it is by now.
   *
   * @throws ApiError 404
   */
  get(id: string): Batch {
    const batch = this.#batches.get(id);
    batch?.passTo(this.#now());
    if (batch !== undefined && this.#scripts.of(batch).gone !== true) return batch;
    throw invalidRequest(`No batch found with id '${id}'.`, { status: 404 });
  }

  /** @throws ApiError 404, and 409 for a batch that is past cancelling. */
  cancel(id: string): Batch {
    const batch = this.get(id);
    if (batch.state === 'cancelling') return batch;
    if (batch.state !== 'validating' && batch.state !== 'in_progress') {
      throw invalidRequest(`Cannot cancel a batch with status '${batch.state}'.`, { status: 409 });
    }
    batch.cancel(this.#now());
    return batch;
  }

  /** Newest first, without those that are gone. */
  all(): readonly Batch[] {
    const now = this.#now();
    const batches = [...this.#batches.values()].reverse();
    for (const batch of batches) batch.passTo(now);
    return batches.filter((batch) => this.#scripts.of(batch).gone !== true);
  }

  #now(): number {
    return this.#clock().getTime();
  }
}
