import { setTimeout as sleep } from 'node:timers/promises';
import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { PollSummary } from '../../../simple_lambdas/summarize_execution/summaries.ts';
import type { SubmitSummary } from '../../../simple_lambdas/summarize_execution/summaries.ts';
import type { ItemCounts } from '../command_line/map_progress.ts';
import { progressLine } from '../command_line/progress.ts';
import { count, quantity } from '../command_line/quantity.ts';
import type { Screen } from '../command_line/screen.ts';
import type { LocalStack, Workflow } from '../local_stack.ts';
import { watchLocally } from './watch_locally.ts';

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
