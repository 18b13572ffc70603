import { submissionOwner } from '../../simple_lambdas/submit_batch/submit_batch.ts';
import type { BatchEnd, BatchOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import {
  submitBatch,
  type SubmitBatchOutput,
  type SubmitBatchPorts,
} from '../../simple_lambdas/submit_batch/submit_batch.ts';
import { BATCH_ID } from './batch_factory.ts';
import { BatchRecord } from './batch_record.ts';

export const BATCH = { batch_id: BATCH_ID, batch_type: 'WORD_EMBEDDING' } as const;

/** When something goes wrong at a step: before it takes effect, or once it has, so that only its answer is lost. */
export type Moment = 'before' | 'after';

/** A function that dies: at its nth step; it does nothing after that. */
export interface Kill {
  readonly step: number;
  readonly moment: Moment;
}

/** A step that throws, until this is unset. */
export interface Failure {
  readonly step: string;
  readonly moment: Moment;
  readonly error: Error;
}

interface OpenaiBatch {
  readonly id: string;
  readonly input_file_id: string;
  readonly batch_id: string;
  readonly created_at: number;
  /** From when on OpenAI's list has it. */
  readonly listed_at: number;
}

interface Row {
  status: 'NONE' | 'PENDING' | 'SUCCESS';
  owner?: string | undefined;
  /** It says something else than the plan does. */
  edited?: true;
}

interface Run {
  /** Who has its lease: an invocation of its own each time. */
  readonly owner: string;
  readonly kill: Kill | undefined;
  readonly steps: string[];
  dead: boolean;
}

/** What submitting a batch of three words reads and leaves behind, in memory; one of them is embedded already. */
export class SubmissionWorld {
  readonly record = new BatchRecord(() => new Date(this.now));
  readonly rows = new Map<string, Row>([
    ['milk', { status: 'NONE' }],
    ['eggs', { status: 'SUCCESS' }],
    ['bread', { status: 'NONE' }],
  ]);
  requestsFile: readonly string[] | undefined;
  /** The files at OpenAI, by id. */
  readonly files = new Map<string, readonly string[]>();
  readonly openaiBatches: OpenaiBatch[] = [];
  now = Date.parse('2025-03-01T10:00:00Z');
  /** How long after its creation OpenAI's list has a batch. */
  listedAfterMs = 0;
  /** How long a request for a batch takes to be answered. */
  creationMs = 0;
  /** What the last run did outside, in order. */
  steps: readonly string[] = [];
  readonly sleeps: number[] = [];
  failure: Failure | undefined;
  /** Called before each step, with its number from 1 and its name. */
  beforeStep: ((step: number, name: string) => void) | undefined;
  #invocations = 0;

  async submit(execution = 'submit-1', kill?: Kill): Promise<SubmitBatchOutput> {
    const owner = submissionOwner(execution, `invocation-${++this.#invocations}`);
    const run: Run = { owner, kill, steps: [], dead: false };
    this.steps = run.steps;
    const input = { ...BATCH, execution_name: 'nightly', execution_id: execution };
    return await submitBatch(input, this.#ports(run));
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
  }

  find(since: Date): string | undefined {
    return this.openaiBatches.find(
      ({ batch_id, created_at, listed_at }) =>
        batch_id === BATCH_ID &&
        listed_at <= this.now &&
        created_at >= since.getTime() - 5 * 60_000,
    )?.id;
  }

  /** The words that the batch has claimed. */
  get claimed(): string[] {
    return [...this.rows].filter(([, { owner }]) => owner === BATCH_ID).map(([id]) => id);
  }

  release(id: string): void {
    if (this.rows.get(id)?.owner === BATCH_ID) this.rows.set(id, { status: 'NONE' });
  }

  #ports(run: Run): SubmitBatchPorts {
    const { record } = this;
    const { owner } = run;
    const step = <Value>(name: string, effect: () => Value) => this.#step(run, name, effect);
    return {
      create: (batch) => step('create', () => record.create(batch, owner)),
      claim: () => step('claim', () => record.claim(owner)),
      read: () => step('read', () => record.batch),
      update: (changes, options) =>
        step(['update', ...Object.keys(changes)].join(' '), () => {
          record.update(owner, changes, options);
        }),
      claimEntities: async () => {
        for (const id of this.rows.keys()) {
          await step(`claim ${id}`, () => {
            this.#claim(id);
          });
        }
        return await step('write requests', () => {
          this.requestsFile = this.claimed.filter((id) => this.rows.get(id)?.edited !== true);
          return this.requestsFile.length;
        });
      },
      upload: () =>
        step('upload', () => {
          const id = `file_${this.files.size + 1}`;
          this.files.set(id, this.requestsFile ?? []);
          return id;
        }),
      createAtOpenai: (inputFileId) => step('create at OpenAI', () => this.#create(inputFileId)),
      findAtOpenai: (since) => step('find at OpenAI', () => this.find(since)),
      end: (batch, end) => this.#end(run, batch, end),
      clock: () => new Date(this.now),
      sleep: async (milliseconds) => {
        await Promise.resolve();
        if (run.dead) throw new Error('killed');
        this.sleeps.push(milliseconds);
        this.pass(milliseconds);
      },
      model: { model: 'text-embedding-3-small', dimensions: 1_536 },
    };
  }

  #claim(id: string): void {
    if (this.rows.get(id)?.status === 'NONE') {
      this.rows.set(id, { status: 'PENDING', owner: BATCH_ID });
    }
  }

  #create(input_file_id: string): string {
    const created_at = this.now;
    const id = `batch_${this.openaiBatches.length + 1}`;
    const listed_at = created_at + this.listedAfterMs;
    this.openaiBatches.push({ id, input_file_id, batch_id: BATCH_ID, created_at, listed_at });
    this.pass(this.creationMs);
    return id;
  }

  async #end(run: Run, batch: BatchSummary, end: BatchEnd): Promise<BatchOutcome> {
    const ids = new Set([...(this.requestsFile ?? []), ...this.claimed]);
    for (const id of ids) {
      await this.#step(run, `release ${id}`, () => {
        this.release(id);
      });
    }
    const requested = batch.requested ?? ids.size;
    const counts = { requested, succeeded: 0, failed: 0, released: ids.size };
    await this.#step(run, 'end', () => {
      this.record.update(
        run.owner,
        { status: end.status, reason: end.reason ?? '', ...counts },
        { endLease: true },
      );
    });
    return { ...BATCH, batch_status: end.status, ...counts, prompt_tokens: 0, reason: end.reason };
  }

  async #step<Value>(run: Run, name: string, effect: () => Value): Promise<Value> {
    // A port always answers later, as the real ones do.
    await Promise.resolve();
    if (run.dead) throw new Error('killed');
    run.steps.push(name);
    this.beforeStep?.(run.steps.length, name);
    const { kill } = run;
    const failure = this.failure?.step === name ? this.failure : undefined;
    const goesWrong = (moment: Moment): void => {
      if (kill?.step === run.steps.length && kill.moment === moment) {
        run.dead = true;
        throw new Error('killed');
      }
      if (failure?.moment === moment) throw failure.error;
    };
    goesWrong('before');
    const value = effect();
    goesWrong('after');
    return value;
  }
}
