import type { FileStore } from '../files/file_store.ts';
import { BatchInput, readBatchInput } from './batch_input.ts';
import { type BatchResults, resultsOf } from './batch_results.ts';
import type { BatchError, BatchScript, BatchState } from './batch_script.ts';
import { endOfState, type EndState, isEnd, leadsTo, nextState } from './batch_states.ts';
import { type ResultFiles, storeResults } from './result_files.ts';

/** What a batch was created with. */
export interface NewBatch {
  readonly id: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Of its output and error file. */
  readonly secondsKept: number;
  /** Epoch milliseconds. */
  readonly created: number;
}

/** What it needs of the account that it belongs to. */
export interface BatchAccount {
  readonly files: FileStore;
  readonly latencyMs: number;
  readonly shuffle: boolean;
  readonly expires: (customId: string) => boolean;
  readonly scriptOf: (batch: Batch) => BatchScript;
  readonly ended: (results: BatchResults) => void;
  readonly lineMade: () => void;
}

const batchFailed: BatchError = { code: 'batch_failed', message: 'The batch failed.' };

/** A batch and its way through the states. Nothing moves by itself: time passes when somebody looks. */
export class Batch {
  readonly created: NewBatch;
  readonly #account: BatchAccount;
  #state: BatchState = 'validating';
  /** When each state began, epoch milliseconds. */
  readonly #moments: Map<BatchState, number>;
  #input: BatchInput | undefined;
  #errors: readonly BatchError[] | undefined;
  #results: BatchResults | undefined;
  #files: ResultFiles = {};

  constructor(created: NewBatch, account: BatchAccount) {
    this.created = created;
    this.#account = account;
    this.#moments = new Map([['validating', created.created]]);
  }

  get state(): BatchState {
    return this.#state;
  }

  get moments(): ReadonlyMap<BatchState, number> {
    return this.#moments;
  }

  /** Known once it has been validated. */
  get input(): BatchInput | undefined {
    return this.#input;
  }

  get errors(): readonly BatchError[] | undefined {
    return this.#errors;
  }

  get results(): BatchResults | undefined {
    return this.#results;
  }

  /** Those that it names, whether they are there or not. */
  get files(): ResultFiles {
    return this.#files;
  }

  /** Takes the steps that are due by now. */
  passTo(now: number): void {
    while (!isEnd(this.#state)) {
      const script = this.#account.scriptOf(this);
      if (script.stays === this.#state) return;
      const since = this.#moments.get(this.#state) ?? this.created.created;
      const due = endOfState(this.#state, since, this.created.created, this.#account.latencyMs);
      if (now < due) return;
      this.#step(undefined, script, due);
    }
  }

  /** @throws Error for a state that it can't come to any more. */
  advanceTo(goal: BatchState, now: number): void {
    if (!leadsTo(this.#state, goal)) throw this.#noWayTo(goal);
    while (this.#state !== goal) {
      if (isEnd(this.#state)) throw this.#noWayTo(goal);
      this.#step(goal, this.#account.scriptOf(this), now);
    }
  }

  cancel(now: number): void {
    this.#enter('cancelling', now);
  }

  #noWayTo(goal: BatchState): Error {
    const why = this.#errors?.[0]?.message;
    return new Error(
      `Batch ${this.created.id} is ${this.#state}${why === undefined ? '' : ` (${why})`}: it can't become ${goal}.`,
    );
  }

  #step(goal: BatchState | undefined, script: BatchScript, at: number): void {
    if (isEnd(this.#state)) return;
    const next = nextState(this.#state, goal, script);
    const read = this.#state === 'validating' ? this.#read() : undefined;
    const wrong = read instanceof BatchInput ? undefined : read;
    if (next === 'failed' || wrong !== undefined) {
      this.#errors = script.errors ?? wrong ?? [batchFailed];
      this.#enter('failed', at);
      return;
    }
    if (read instanceof BatchInput) this.#input = read;
    if (isEnd(next)) this.#finish(next, goal, script, at);
    else this.#enter(next, at);
  }

  #enter(state: BatchState, at: number): void {
    this.#state = state;
    this.#moments.set(state, at);
  }

  #read(): BatchInput | readonly BatchError[] {
    const { inputFileId } = this.created;
    const content = this.#account.files.find(inputFileId)?.content;
    if (Buffer.isBuffer(content)) return readBatchInput(content);
    return [{ code: 'invalid_request', message: `No such File object: ${inputFileId}` }];
  }

  #finish(next: EndState, goal: BatchState | undefined, script: BatchScript, at: number): void {
    const open = next === 'completed' && goal === undefined && script.end === undefined;
    // A batch that was cancelled before it was validated has no requests that anything could become of.
    if (this.#input !== undefined) {
      const end = open ? undefined : next;
      this.#results = resultsOf(this.#input, { ...this.#account, script, end });
      this.#files = storeResults(this.created, this.#input, this.#results, script, this.#account);
      this.#account.ended(this.#results);
    }
    const expired = this.#results?.errors.some(({ outcome }) => outcome === 'expired') ?? false;
    this.#enter(open && expired ? 'expired' : next, at);
  }
}
