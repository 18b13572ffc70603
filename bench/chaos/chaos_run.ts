import { setTimeout as wait } from 'node:timers/promises';
import type { ExecutionDescription } from 'embedded-aws/step_functions/api/execution_view';
import { toolWorld } from 'receipts-cli/command_line/testing/command_world';
import type { Workflow } from 'receipts-cli/local_stack';
import { redo } from 'receipts-cli/redo/redo';
import type { BatchView } from 'vendor-stand-ins/openai/batch_script';
import { BatchStack } from '../../tests/support/batch_stack.ts';
import { leftMarks, readDelivered } from '../../tests/support/store_invariants.ts';
import {
  allReceipts,
  type ChaosPlan,
  outcomeOf,
  planChaos,
  type Start,
  type Wave,
} from './chaos_plan.ts';
import { applyEdit, type RowChange } from './chaos_receipts.ts';
import { breakAsPlanned, letTimePassBetweenTries, passTime } from './chaos_stack.ts';
import { accountOf, evidenceOf } from './chaos_account.ts';
import { chaosProblems, statusProblems } from './chaos_invariants.ts';
import { leaksOf } from './chaos_leaks.ts';

/** What came of a seed. */
export interface ChaosResult {
  readonly plan: ChaosPlan;
  /** What does not hold. */
  readonly problems: readonly string[];
  /** How each execution ended, and the rows that the problems name. */
  readonly evidence: readonly string[];
  /** What happened, so that a reader sees that it was chaos: executions by how they ended, and so on. */
  readonly account: Readonly<Record<string, number>>;
}

/** What ran in a seed, and what it said. */
export interface ChaosRun {
  readonly stack: BatchStack;
  readonly plan: ChaosPlan;
  readonly executions: readonly (readonly [Workflow, ExecutionDescription])[];
  /** What commands wrote. */
  readonly written: readonly string[];
  /** What was done to lines and words meanwhile, in the order in which it was begun. */
  readonly changes: readonly RowChange[];
  /** At OpenAI, of this seed. */
  readonly openaiBatches: readonly BatchView[];
}

/** Rounds after which everything must have come to rest. A batch may be tried five times, and be parked then. */
const ROUNDS = 12;

/** A stack for some seeds. Its functions stay warm between them, as most are in chaos: to start one takes as long as ten requests. */
export async function startChaosStack(): Promise<BatchStack> {
  return await BatchStack.start({
    config: {
      max_concurrency: '2',
      batch_max_concurrency: '2',
      batch_max_tokens: '400',
      embedding_dimensions: '16',
    },
  });
}

/** Runs one seed on an idle stack. */
export async function runChaos(stack: BatchStack, seed: number): Promise<ChaosResult> {
  await stack.reset();
  return await new Chaos(stack, planChaos(seed)).run();
}

class Chaos implements ChaosRun {
  readonly stack: BatchStack;
  readonly plan: ChaosPlan;
  readonly executions: [Workflow, ExecutionDescription][] = [];
  readonly written: string[] = [];
  readonly changes: RowChange[] = [];
  readonly #before: ReadonlySet<string>;

  constructor(stack: BatchStack, plan: ChaosPlan) {
    this.stack = stack;
    this.plan = plan;
    this.#before = new Set(stack.local.openai.batches.list().map(({ id }) => id));
  }

  get openaiBatches(): readonly BatchView[] {
    return this.stack.local.openai.batches.list().filter(({ id }) => !this.#before.has(id));
  }

  async run(): Promise<ChaosResult> {
    letTimePassBetweenTries(this.stack);
    for (const wave of this.plan.waves) await this.#wave(wave);
    const inChaos = this.executions.length;
    const unrest = await this.#comeToRest();
    const problems = [...unrest, ...(await chaosProblems(this)), ...(await leaksOf(this))];
    const account = await accountOf(this, inChaos);
    const evidence = problems.length === 0 ? [] : await evidenceOf(this, problems);
    return { plan: this.plan, problems, evidence, account };
  }

  /** Everything at once, until all of it has ended. */
  async #wave({ receipts, starts, faults, edits, indexLag, batches }: Wave): Promise<void> {
    const { stack } = this;
    await stack.load(receipts);
    const work: Promise<unknown>[] = [];
    const due = [
      ...starts.map((start) => ({ ...start, run: () => this.#start(start) })),
      ...edits.map((edit) => ({
        ...edit,
        run: () => applyEdit(stack.local.table, edit, this.changes),
      })),
    ].sort((a, b) => a.afterRequests - b.afterRequests);
    const begin = (requests: number): void => {
      while (due[0] !== undefined && due[0].afterRequests <= requests) {
        work.push(due.shift()?.run() ?? Promise.resolve());
      }
    };
    const { seed } = this.plan;
    stack.script(
      batches === 'well' || batches === 'late'
        ? {
            rows: (customId) => outcomeOf(seed, customId),
            ...(batches === 'late' ? { stays: 'in_progress' as const } : {}),
          }
        : { end: batches, rows: (customId) => outcomeOf(seed, customId) },
      (batch) => isChosen(batch, seed),
    );
    stack.local.aws.dynamodb.lagIndexes(indexLag);
    let requests = 0;
    breakAsPlanned(stack, faults, () => {
      requests++;
      begin(requests);
    });
    begin(0);
    // What is due once the rest has ended is done then, one after the other.
    for (let done = 0; done < work.length || due.length > 0;) {
      await Promise.all(work.slice(done));
      done = work.length;
      if (due[0] !== undefined) begin(due[0].afterRequests);
    }
    await this.#untilNothingRuns();
    stack.endFaults();
    letTimePassBetweenTries(stack);
    stack.local.aws.dynamodb.lagIndexes(0);
    await passTime(stack);
  }

  async #start({ what, input }: Start): Promise<void> {
    if (what === 'realtime' || what === 'batchSubmit' || what === 'batchPoll') {
      await this.#execute(what, input);
    } else if (what === 'redo failed') {
      await this.#redo('failed');
    } else if (what === 'redo batches') {
      for (const { batch_id } of await this.stack.batches()) await this.#redo('batch', batch_id);
    } else {
      for (const { receipt } of allReceipts(this.plan)) {
        await this.#redo('receipt', receipt.image_id, String(receipt.receipt_id));
      }
    }
  }

  async #execute(workflow: Workflow, input: Start['input'] = {}): Promise<ExecutionDescription> {
    const { local } = this.stack;
    const execution = await local.execute(input, workflow);
    this.executions.push([workflow, execution]);
    return execution;
  }

  /** `npx receipts redo`. */
  async #redo(...what: readonly string[]): Promise<void> {
    const { client, name } = this.stack.local.table;
    const { ports, stdout, stderr } = toolWorld({
      client,
      variables: { DYNAMODB_TABLE_NAME: name },
      now: () => new Date(),
    });
    const temporaryFolder = process.env['TMPDIR'] ?? '/tmp';
    await redo([...what, '--yes'], { ...ports, temporaryFolder, confirm: undefined });
    this.written.push(stdout(), stderr());
  }

  /** Functions whose answers were lost run on. */
  async #untilNothingRuns(): Promise<void> {
    while (this.stack.local.aws.invocations.running.size > 0) await wait(5);
  }

  /**
   * Lets the batches do what is left, and then realtime, time passing in between: what realtime mends would be left for ever
   * where there are batches alone.
   *
   * @returns what never came to rest.
   */
  async #comeToRest(): Promise<string[]> {
    const { seed } = this.plan;
    const hardTimes = this.stack.local.openai.batches.script(
      { rows: (customId) => outcomeOf(seed, customId) },
      (batch) => isChosen(batch, seed),
    );
    const byBatches = await this.#untilRest(async () => {
      await this.#execute('batchPoll');
      hardTimes();
      await this.#execute('batchSubmit');
      await this.#redoParked();
      return [];
    });
    const claims = await statusProblems(this);
    const byRealtime = await this.#untilRest(async () => {
      const { status, cause = '' } = await this.#execute('realtime');
      return [
        ...(status === 'SUCCEEDED' ? [] : [`realtime ${status}: ${cause}`]),
        ...leftMarks(await readDelivered(this.stack), () => false),
      ];
    });
    return [...byBatches, ...claims.map((claim) => `before realtime: ${claim}`), ...byRealtime];
  }

  async #untilRest(round: () => Promise<string[]>): Promise<string[]> {
    let left: string[] = [];
    for (let done = 0; done < ROUNDS; done++) {
      left = await round();
      await passTime(this.stack);
      left.push(...(await this.#unrest()));
      if (left.length === 0) return [];
    }
    return left.map((what) => `after ${ROUNDS} rounds without any fault: ${what}`);
  }

  async #redoParked(): Promise<void> {
    for (const row of await this.stack.rowsOfType('BATCH_SUMMARY')) {
      if (row['parked_at'] !== undefined) await this.#redo('batch', row.PK.slice('BATCH#'.length));
    }
  }

  async #unrest(): Promise<string[]> {
    const entities = await this.stack.entities();
    const batches = await this.stack.rowsOfType('BATCH_SUMMARY');
    const live = batches.filter(
      (batch) => !/^(COMPLETED|FAILED|EXPIRED|CANCELLED)$/.test(String(batch['status'])),
    );
    return [
      ...entities
        .filter(
          (entity) =>
            entity.status === 'NONE' && entity['is_noise'] !== true && entity.text.trim() !== '',
        )
        .map(({ id }) => `${id} is NONE`),
      ...live.map(
        (batch) =>
          `${batch.PK} is ${String(batch['status'])} (${JSON.stringify(batch['last_error'])})`,
      ),
    ];
  }
}

/** Two of three batches have a hard time. */
function isChosen({ metadata }: BatchView, seed: number): boolean {
  const id = String(metadata?.['batch_id']);
  return outcomeOf(seed, `batch/${id}`) === 'ok' || Number.parseInt(id.slice(0, 2), 16) % 3 > 0;
}
