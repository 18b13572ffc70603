import { createHash } from 'node:crypto';
import { Batch, type BatchAccount, type NewBatch } from './batch.ts';
import type { BatchOptions, BatchScript, BatchState, BatchView } from './batch_script.ts';
import { invalidRequest } from './errors.ts';
import type { Files } from './files.ts';

/** What batches have cost. */
export interface BatchTotals {
  /** Created. */
  readonly batches: number;
  /** Rows embedded. */
  readonly requests: number;
  /** Of their inputs. */
  readonly tokens: number;
}

interface ScriptInForce {
  readonly script: BatchScript;
  readonly which: (batch: BatchView) => boolean;
}

/** The account's batches, and how tests steer them. */
export class Batches {
  readonly #batches = new Map<string, Batch>();
  readonly #account: BatchAccount;
  readonly #clock: () => Date;
  /** Newest first. */
  #scripts: readonly ScriptInForce[] = [];
  #totals: BatchTotals = { batches: 0, requests: 0, tokens: 0 };

  constructor(
    files: Files,
    { latencyMs = 0, expireShare = 0, clock = () => new Date() }: BatchOptions,
  ) {
    this.#clock = clock;
    this.#account = {
      files,
      latencyMs,
      expires: expiringRows(expireShare),
      scriptOf: (batch) => this.#scriptOf(batch),
      ended: ({ completed, tokens }) => {
        this.#totals = {
          ...this.#totals,
          requests: this.#totals.requests + completed,
          tokens: this.#totals.tokens + tokens,
        };
      },
    };
  }

  get totals(): BatchTotals {
    return this.#totals;
  }

  /**
   * Says what becomes of the batches that `which` names, those to come and those that are on their way: a batch takes
   * the newest script that matches when it takes its next step, and its rows are settled when it ends.
   *
   * @param which every batch, where none is given.
   * @returns takes the script out of force; what has happened by it stays.
   */
  script(script: BatchScript, which: (batch: BatchView) => boolean = () => true): () => void {
    const entry = { script, which };
    this.#scripts = [entry, ...this.#scripts];
    return () => {
      this.#scripts = this.#scripts.filter((other) => other !== entry);
    };
  }

  /**
   * Moves a batch to a state now, through those in between, whatever its latency and script say about the way. What
   * becomes of its rows is the script's; a batch that is moved to `completed` completes.
   *
   * @throws Error for a batch that doesn't exist, and a state that it can't reach any more: an invalid input file fails
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
    return this.all().map(({ view }) => view);
  }

  /**
   * What a batch's output file has a vector for that its client can use, by custom_id, each once; nothing before it has ended.
   *
   * @throws Error for a batch that doesn't exist.
   */
  embeddedIn(id: string): readonly string[] {
    const batch = this.#batches.get(id);
    if (batch === undefined) throw new Error(`There is no batch ${id}.`);
    return batch.embedded;
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
    if (batch !== undefined && this.#scriptOf(batch.view).gone !== true) return batch;
    throw invalidRequest(`No batch found with id '${id}'.`, { status: 404 });
  }

  /** Newest first, without those that are gone. */
  all(): readonly Batch[] {
    const now = this.#now();
    const batches = [...this.#batches.values()].reverse();
    for (const batch of batches) batch.passTo(now);
    return batches.filter(({ view }) => this.#scriptOf(view).gone !== true);
  }

  #scriptOf(batch: BatchView): BatchScript {
    return this.#scripts.find(({ which }) => which(batch))?.script ?? {};
  }

  #now(): number {
    return this.#clock().getTime();
  }
}

/** Whether a row expires now: always the same share of them (0 to 1), and each only once. */
function expiringRows(share: number): (customId: string) => boolean {
  const expired = new Set<string>();
  return (customId) => {
    if (share === 0 || expired.has(customId)) return false;
    const place = createHash('md5').update(customId).digest().readUInt32BE() / 2 ** 32;
    if (place >= share) return false;
    expired.add(customId);
    return true;
  };
}
