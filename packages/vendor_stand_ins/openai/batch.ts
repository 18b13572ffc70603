import { BatchInput, readBatchInput } from './batch_input.ts';
import {
  type BatchResults,
  isSound,
  linesOf,
  type PlannedRow,
  resultsOf,
} from './batch_results.ts';
import type { BatchError, BatchScript, BatchState, BatchView } from './batch_script.ts';
import type { Files } from './files.ts';

/** What a batch was created with. */
export interface NewBatch {
  readonly id: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Epoch milliseconds. */
  readonly created: number;
}

/** What it needs of the account that it belongs to. */
export interface BatchAccount {
  readonly files: Files;
  readonly latencyMs: number;
  readonly expires: (customId: string) => boolean;
  readonly scriptOf: (batch: BatchView) => BatchScript;
  readonly ended: (results: BatchResults) => void;
}

const BATCH_FAILED: BatchError = { code: 'batch_failed', message: 'The batch failed.' };

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
  #outputFileId: string | undefined;
  #errorFileId: string | undefined;

  constructor(created: NewBatch, account: BatchAccount) {
    this.created = created;
    this.#account = account;
    this.#moments = new Map([['validating', created.created]]);
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

  /** The custom_ids of what it has a sound vector for, each once. */
  get embedded(): readonly string[] {
    const sound = (this.#results?.output ?? []).filter(
      ({ outcome, unknownId }) => unknownId === undefined && isSound(outcome),
    );
    const ids = sound.flatMap(({ index }) => this.#input?.request(index).custom_id ?? []);
    return [...new Set(ids)];
  }

  get view(): BatchView {
    const { id, metadata, inputFileId } = this.created;
    return {
      id,
      state: this.#state,
      metadata,
      inputFileId,
      outputFileId: this.#outputFileId,
      errorFileId: this.#errorFileId,
    };
  }

  /** Takes the steps that are due by now. */
  passTo(now: number): void {
    while (!isEnd(this.#state)) {
      const script = this.#account.scriptOf(this.view);
      if (script.stays === this.#state) return;
      const since = this.#moments.get(this.#state) ?? this.created.created;
      const due = endOfState(this.#state, since, this.created.created, this.#account.latencyMs);
      if (now < due) return;
      this.#step(this.#state, undefined, script, due);
    }
  }

  /** @throws Error for a state that it can't reach any more. */
  advanceTo(goal: BatchState, now: number): void {
    while (this.#state !== goal) {
      if (isEnd(this.#state) || RANKS[this.#state] >= RANKS[goal]) throw this.#noWayTo(goal);
      this.#step(this.#state, goal, this.#account.scriptOf(this.view), now);
    }
  }

  #noWayTo(goal: BatchState): Error {
    const why = this.#errors?.[0]?.message;
    return new Error(
      `Batch ${this.created.id} is ${this.#state}${why === undefined ? '' : ` (${why})`}: it can't become ${goal}.`,
    );
  }

  #step(from: OpenState, goal: BatchState | undefined, script: BatchScript, at: number): void {
    const next = nextState(from, goal, script);
    const read = from === 'validating' ? this.#readInput() : undefined;
    const wrong = read instanceof BatchInput ? undefined : read;
    if (next === 'failed' || wrong !== undefined) {
      this.#errors = script.errors ?? wrong ?? [BATCH_FAILED];
      this.#enter('failed', at);
      return;
    }
    if (read instanceof BatchInput) this.#input = read;
    if (isEnd(next) && this.#input !== undefined) this.#finish(this.#input, next, goal, script, at);
    else this.#enter(next, at);
  }

  #enter(state: BatchState, at: number): void {
    this.#state = state;
    this.#moments.set(state, at);
  }

  #readInput(): BatchInput | readonly BatchError[] {
    const { inputFileId } = this.created;
    const content = this.#account.files.find(inputFileId)?.content;
    if (Buffer.isBuffer(content)) return readBatchInput(content);
    return [{ code: 'invalid_request', message: `No such File object: ${inputFileId}` }];
  }

  #finish(
    input: BatchInput,
    next: EndState,
    goal: BatchState | undefined,
    script: BatchScript,
    at: number,
  ): void {
    const open = next === 'completed' && goal === undefined && script.end === undefined;
    const results = resultsOf(input, script, open ? undefined : next, this.#account.expires);
    const { outputFile, errorFile } = script;
    this.#results = results;
    this.#outputFileId = this.#store('output', input, results.output, outputFile);
    this.#errorFileId = this.#store('error', input, results.errors, errorFile);
    this.#account.ended(results);
    const expired = results.errors.some(({ outcome }) => outcome === 'expired');
    this.#enter(open && expired ? 'expired' : next, at);
  }

  /** Stores a file as what it will be made of. @returns undefined for a file without rows, which is not made. */
  #store(
    kind: string,
    input: BatchInput,
    rows: readonly PlannedRow[],
    gone: 'gone' | undefined,
  ): string | undefined {
    if (rows.length === 0) return undefined;
    const { files } = this.#account;
    const batchId = this.created.id;
    const { id } = files.add({
      filename: `${batchId}_${kind}.jsonl`,
      purpose: 'batch_output',
      content: () => linesOf(batchId, input, rows),
    });
    if (gone !== undefined) files.delete(id);
    return id;
  }
}

/** A state that no batch leaves. */
type EndState = Extract<BatchState, 'completed' | 'expired' | 'cancelled' | 'failed'>;
type OpenState = Exclude<BatchState, EndState>;

/** A batch only comes to states of a higher rank. */
const RANKS: Readonly<Record<BatchState, number>> = {
  validating: 0,
  in_progress: 1,
  finalizing: 2,
  cancelling: 2,
  completed: 3,
  expired: 3,
  cancelled: 3,
  failed: 3,
};

function isEnd(state: BatchState): state is EndState {
  return RANKS[state] === RANKS.completed;
}

/** The state that follows, on the way to `goal` if one is given, else as the script says. */
function nextState(
  state: OpenState,
  goal: BatchState | undefined,
  { end, stays }: BatchScript,
): BatchState {
  if (goal === 'failed') return 'failed';
  switch (state) {
    case 'validating':
      return goal === undefined && end === 'failed' ? 'failed' : 'in_progress';
    case 'in_progress': {
      const towards = goal ?? (stays === 'cancelling' ? stays : end);
      return towards === 'cancelled' || towards === 'cancelling' ? 'cancelling' : 'finalizing';
    }
    case 'finalizing': {
      // A script that lets it fail or be cancelled comes too late for that.
      const ending = goal !== undefined && isEnd(goal) ? goal : end;
      return ending === 'expired' ? 'expired' : 'completed';
    }
    case 'cancelling':
      return 'cancelled';
  }
}

/**
 * When a state that began at `since` is over by itself: validation, the work and the output take a third of the
 * latency each, counted from the creation; a cancellation takes as long as one of them. Epoch milliseconds.
 */
function endOfState(state: OpenState, since: number, created: number, latencyMs: number): number {
  const third = latencyMs / 3;
  switch (state) {
    case 'validating':
      return created + third;
    case 'in_progress':
      return Math.max(since, created + 2 * third);
    case 'finalizing':
      return Math.max(since, created + latencyMs);
    case 'cancelling':
      return since + third;
  }
}
