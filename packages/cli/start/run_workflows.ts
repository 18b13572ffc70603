import { setTimeout as sleep } from 'node:timers/promises';
import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { PollSummary } from '../../../simple_lambdas/summarize_batch_poll/summarize_poll.ts';
import type { SubmitSummary } from '../../../simple_lambdas/summarize_batch_submit/summarize_submit.ts';
import { progressLine, type Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import {
  backgroundTiming,
  EMBEDDED_PACE,
  type ItemCounts,
  watchExecution,
} from '../executions/watch_execution.ts';
import type { LocalStack, Workflow } from '../local_stack.ts';
import type { StartOptions } from './options.ts';
import { countReceiptsToEmbed } from './summary.ts';

export interface RealtimeRun {
  readonly execution: DescribeExecutionCommandOutput;
  readonly seconds: number;
}

/** Starts the realtime workflow, and shows its progress until it ends. */
export async function runRealtime(
  stack: LocalStack,
  { filter, force }: StartOptions,
  limit: number | undefined,
  screen: Screen,
): Promise<RealtimeRun> {
  const input = {
    ...(limit === undefined ? {} : { limit }),
    ...(filter === undefined ? {} : { filter_by_embedding_status: filter }),
    ...(force ? { force } : {}),
  };
  screen.line(`Starting ${stack.stateMachines.realtime}`);
  screen.line(`  with ${JSON.stringify(input)}`);
  const started = performance.now();
  const arn = await stack.start(input);
  const execution = await watchLocally(stack, arn, (items) => {
    const text = `${count(items.done)} of ${quantity(items.total, 'receipt')}`;
    screen.progress(progressLine(items, text), items.done / items.total);
  });
  screen.endProgress();
  return { execution, seconds: (performance.now() - started) / 1_000 };
}

/** The executions of the batch path, in their order, and what they have cost. */
export interface BatchRun {
  readonly executions: readonly DescribeExecutionCommandOutput[];
  readonly seconds: number;
  readonly promptTokens: number;
  /** Null when a price is not known. */
  readonly costUsd: number | null;
}

/** The stand-in is done in seconds; OpenAI takes minutes to hours. */
const WAIT_MS = { 'stand-in': 500, real: 30_000 } as const;
/** What expires is submitted again; more often than this it is not. */
const MOST_SUBMISSIONS = 3;

/**
 * Submits batches and polls until none is pending; what was given back is submitted again. Shows the progress of each.
 * Ends early when an execution fails.
 *
 * @param limit how many receipts; undefined: all that wait.
 */
export async function runBatches(
  stack: LocalStack,
  { openai }: Pick<StartOptions, 'openai'>,
  limit: number | undefined,
  screen: Screen,
): Promise<BatchRun> {
  const run = new BatchExecutions(stack, screen, WAIT_MS[openai]);
  const started = performance.now();
  const waiting = (): Promise<number> => countReceiptsToEmbed(stack.table);
  const beyond = limit === undefined ? 0 : Math.max(0, (await waiting()) - limit);
  let input = limit === undefined ? {} : { limit };
  for (let left = MOST_SUBMISSIONS; left > 0; left--) {
    const submitted = await run.submit(input);
    if (submitted === undefined || submitted.submitted === 0) break;
    const released = await run.pollUntilDone(submitted.submitted);
    if (released === undefined || released === 0) break;
    screen.line(
      left > 1
        ? '  What was given back is submitted again'
        : `  ${quantity(released, 'line or word', 'lines and words')} left for another run`,
    );
    // What was given back comes before the receipts that the limit has left out.
    if (limit !== undefined) input = { limit: Math.max(1, (await waiting()) - beyond) };
  }
  const { executions, promptTokens, costUsd } = run;
  return { executions, seconds: (performance.now() - started) / 1_000, promptTokens, costUsd };
}

/** Starts the batch path's workflows, shows the progress of each, and keeps account of them. */
export class BatchExecutions {
  readonly executions: DescribeExecutionCommandOutput[] = [];
  readonly #stack: LocalStack;
  readonly #screen: Screen;
  readonly #waitMs: number;
  #promptTokens = 0;
  #costUsd: number | null = 0;

  /** @param waitMs between two polls. */
  constructor(stack: LocalStack, screen: Screen, waitMs: number) {
    this.#stack = stack;
    this.#screen = screen;
    this.#waitMs = waitMs;
  }

  /** What OpenAI has read in the batches that have ended. */
  get promptTokens(): number {
    return this.#promptTokens;
  }

  /** At OpenAI's list price; null when that is not known. */
  get costUsd(): number | null {
    return this.#costUsd;
  }

  /** @returns undefined when the execution failed. */
  async submit(input: object): Promise<SubmitSummary | undefined> {
    const screen = this.#screen;
    screen.line(`Starting ${this.#stack.stateMachines.batchSubmit}`);
    screen.line(`  with ${JSON.stringify(input)}`);
    const summary = await this.#execute<SubmitSummary>('batchSubmit', input, (items) => {
      const text = `${count(items.done)} of ${batches(items.total)} submitted`;
      screen.progress(progressLine(items, text), items.done / items.total);
    });
    screen.endProgress();
    if (summary === undefined) return undefined;
    screen.line(`  ${batches(summary.submitted)} with ${count(summary.requested)} lines and words`);
    this.#showFailures(summary);
    return summary;
  }

  /**
   * Polls as long as a batch is running.
   *
   * @returns how many lines and words were given back; undefined when an execution failed.
   */
  async pollUntilDone(pending: number): Promise<number | undefined> {
    const screen = this.#screen;
    screen.line(`Polling ${this.#stack.stateMachines.batchPoll}`);
    const sum = { completed: 0, succeeded: 0, rows_failed: 0, released: 0 };
    for (let polls = 1; ; polls++) {
      const show = (looked: ItemCounts | undefined): void => {
        const done = { done: sum.completed, total: Math.max(pending, sum.completed) };
        const now = looked === undefined ? '' : `: ${looked.done} of ${batches(looked.total)}`;
        const text = `${count(done.done)} of ${batches(done.total)} done (poll ${polls}${now})`;
        screen.progress(progressLine(done, text), done.done / done.total);
      };
      const polled = await this.#execute<PollSummary>('batchPoll', {}, show);
      if (polled !== undefined) {
        sum.completed += polled.completed;
        sum.succeeded += polled.succeeded;
        sum.rows_failed += polled.rows_failed;
        sum.released += polled.released;
        this.#account(polled);
        show(undefined);
      }
      if (polled === undefined || (polled.running === 0 && !polled.more)) {
        screen.endProgress();
        screen.line(
          `  ${batches(sum.completed)} done: ${count(sum.succeeded)} embedded, ` +
            `${count(sum.rows_failed)} refused, ${count(sum.released)} given back`,
        );
        if (polled === undefined) return undefined;
        this.#showFailures(polled);
        return sum.released;
      }
      // Whoever stops the program does not wait for the next poll.
      await sleep(this.#waitMs, undefined, { ref: false });
    }
  }

  async #execute<Output>(
    workflow: Workflow,
    input: object,
    onProgress: (items: ItemCounts) => void,
  ): Promise<Output | undefined> {
    const arn = await this.#stack.start(input, workflow);
    const execution = await watchLocally(this.#stack, arn, onProgress);
    this.executions.push(execution);
    return execution.status === 'SUCCEEDED'
      ? (JSON.parse(execution.output ?? 'null') as Output)
      : undefined;
  }

  #account({ prompt_tokens, estimated_cost_usd }: PollSummary): void {
    this.#promptTokens += prompt_tokens;
    this.#costUsd =
      estimated_cost_usd === null || this.#costUsd === null
        ? null
        : this.#costUsd + estimated_cost_usd;
  }

  /** Batches that the execution could not bring further, although it succeeded as a whole. */
  #showFailures({ failures }: Pick<PollSummary, 'failures'>): void {
    for (const { batch_id: id, error, cause } of failures) {
      this.#screen.line(`  failed: ${id}: ${error}: ${cause}`);
    }
  }
}

function batches(value: number): string {
  return quantity(value, 'batch', 'batches');
}

/**
 * Watches an execution on the embedded AWS until it ends.
 *
 * @param onProgress hears how far its Map is, whenever that has changed, as soon as there is one with items.
 */
export async function watchLocally(
  { aws }: LocalStack,
  executionArn: string,
  onProgress: (items: ItemCounts) => void,
): Promise<DescribeExecutionCommandOutput> {
  let shown: number | undefined;
  return await watchExecution(executionArn, {
    sfn: aws.clients.sfn,
    timing: backgroundTiming,
    pace: EMBEDDED_PACE,
    onLook: ({ items }) => {
      if (items === undefined || items.done === shown) return;
      shown = items.done;
      onProgress(items);
    },
  });
}
