import { setTimeout as sleep } from 'node:timers/promises';
import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import {
  executionEnd,
  type ExecutionEnd,
  type WorkflowSummary,
} from '../executions/execution_end.ts';
import { showEnd } from '../executions/execution_report.ts';
import { itemName, ProgressReport, showExecution } from '../executions/progress_report.ts';
import { backgroundTiming, EMBEDDED_PACE, watchExecution } from '../executions/watch_execution.ts';
import type { LocalStack, Workflow } from '../local_stack.ts';
import type { StartOptions } from './options.ts';
import { countReceiptsToEmbed } from './summary.ts';

export interface RealtimeRun {
  readonly execution: DescribeExecutionCommandOutput;
  readonly seconds: number;
}

/** Starts the realtime workflow, and shows its progress and its end. */
export async function runRealtime(
  stack: LocalStack,
  { filter, force }: StartOptions,
  limit: number | undefined,
  screen: Screen,
): Promise<RealtimeRun> {
  const started = performance.now();
  const execution = await runWorkflow(stack, 'realtime', screen, {
    ...(limit === undefined ? {} : { limit }),
    ...(filter === undefined ? {} : { filter_by_embedding_status: filter }),
    ...(force ? { force } : {}),
  });
  showEnd(screen, executionEnd(execution));
  return { execution, seconds: (performance.now() - started) / 1_000 };
}

async function runWorkflow(
  stack: LocalStack,
  workflow: Workflow,
  screen: Screen,
  input: object,
): Promise<DescribeExecutionCommandOutput> {
  screen.line();
  screen.heading(`Starting ${machineName(stack, workflow)}`);
  if (Object.keys(input).length > 0) screen.line(`  with ${JSON.stringify(input)}`);
  const arn = await stack.start(input, workflow);
  const report = new ProgressReport(screen, itemName(arn), backgroundTiming);
  try {
    return await showExecution(arn, report, watching(stack));
  } finally {
    report.end();
  }
}

/** The whole ARN helps nobody here: this stack is gone at the end, or found by itself. */
function machineName({ stateMachines }: LocalStack, workflow: Workflow): string {
  return stateMachines[workflow].split(':').at(-1) ?? '';
}

function watching({ aws }: LocalStack) {
  return { sfn: aws.clients.sfn, timing: backgroundTiming, pace: EMBEDDED_PACE };
}

/** The executions of the batch path, in their order, and what they have cost. */
export interface BatchRun {
  readonly executions: readonly DescribeExecutionCommandOutput[];
  readonly seconds: number;
  /** What OpenAI has read in the batches that have ended. */
  readonly promptTokens: number;
  /** At OpenAI's list price; null when a price is not known. */
  readonly costUsd: number | null;
}

/** The stand-in is done in seconds; OpenAI takes minutes to hours. */
const WAIT_MS = { 'stand-in': 500, real: 30_000 } as const;
/** What expires is submitted again; more often than this it is not. */
const MOST_SUBMISSIONS = 3;

/**
 * Submits batches and polls until none is pending; what was returned to NONE is submitted again. Shows the progress and the
 * end of each. Ends early when an execution fails.
 *
 * @param limit how many receipts; undefined: all that wait.
 */
export async function runBatches(
  stack: LocalStack,
  { openai }: Pick<StartOptions, 'openai'>,
  limit: number | undefined,
  screen: Screen,
  waitMs: number = WAIT_MS[openai],
): Promise<BatchRun> {
  const executions: DescribeExecutionCommandOutput[] = [];
  const started = performance.now();
  const waiting = (): Promise<number> => countReceiptsToEmbed(stack.table);
  const beyond = limit === undefined ? 0 : Math.max(0, (await waiting()) - limit);
  let input = limit === undefined ? {} : { limit };
  const cost: { promptTokens: number; costUsd: number | null } = { promptTokens: 0, costUsd: 0 };
  for (let left = MOST_SUBMISSIONS; left > 0; left--) {
    const execution = await runWorkflow(stack, 'batchSubmit', screen, input);
    executions.push(execution);
    const end = executionEnd(execution);
    showEnd(screen, end);
    const { summary } = end;
    if (end.status !== 'SUCCEEDED' || summary?.workflow !== 'batch-submit') break;
    if (summary.submitted === 0) break;
    const polled = await pollUntilDone(stack, screen, summary.submitted, waitMs, executions);
    if (polled === undefined) break;
    cost.promptTokens += polled.prompt_tokens;
    cost.costUsd = added(cost.costUsd, polled.estimated_cost_usd);
    if (polled.released === 0) break;
    screen.line(
      left > 1
        ? 'What was returned to NONE is submitted again'
        : `${quantity(polled.released, 'line or word', 'lines and words')} left for another run`,
    );
    // What was returned to NONE comes before the receipts that the limit has left out.
    if (limit !== undefined) input = { limit: Math.max(1, (await waiting()) - beyond) };
  }
  return { executions, seconds: (performance.now() - started) / 1_000, ...cost };
}

type PollSummary = Extract<WorkflowSummary, { workflow: 'batch-poll' }>;

/**
 * Polls as long as a batch is running.
 *
 * @param executions gets those of the polls.
 * @returns the polls' summaries, added up; undefined when an execution failed.
 */
async function pollUntilDone(
  stack: LocalStack,
  screen: Screen,
  pending: number,
  waitMs: number,
  executions: DescribeExecutionCommandOutput[],
): Promise<PollSummary | undefined> {
  screen.line();
  screen.heading(`Polling ${machineName(stack, 'batchPoll')}`);
  let sum: PollSummary | undefined;
  let seconds = 0;
  for (let polls = 1; ; polls++) {
    const show = (): void => {
      const done = sum?.completed ?? 0;
      const total = Math.max(pending, done);
      const batches = quantity(total, 'batch', 'batches');
      screen.bar({ done, total }, `${count(done)} of ${batches} done (poll ${polls})`);
    };
    show();
    const arn = await stack.start({}, 'batchPoll');
    const execution = await watchExecution(arn, { ...watching(stack), onLook: () => undefined });
    executions.push(execution);
    const end: ExecutionEnd = executionEnd(execution);
    const { summary } = end;
    seconds += end.seconds;
    const polled =
      end.status === 'SUCCEEDED' && summary?.workflow === 'batch-poll' ? summary : undefined;
    if (polled !== undefined) sum = sum === undefined ? polled : addPolls(sum, polled);
    show();
    if (polled === undefined || (polled.running === 0 && !polled.more)) {
      screen.endProgress();
      showEnd(screen, polled === undefined ? end : { ...end, seconds, summary: sum });
      return polled === undefined ? undefined : sum;
    }
    // Ctrl-C does not wait for the next poll.
    await sleep(waitMs, undefined, { ref: false });
  }
}

/** What two polls have done together, and what the later one has left. */
function addPolls(before: PollSummary, later: PollSummary): PollSummary {
  const completed = before.completed + later.completed;
  return {
    ...later,
    total: completed + later.running + later.failed,
    completed,
    requested: before.requested + later.requested,
    succeeded: before.succeeded + later.succeeded,
    rows_failed: before.rows_failed + later.rows_failed,
    released: before.released + later.released,
    prompt_tokens: before.prompt_tokens + later.prompt_tokens,
    estimated_cost_usd: added(before.estimated_cost_usd, later.estimated_cost_usd),
  };
}

function added(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}
