import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { quantity } from '../command_line/quantity.ts';
import type { Screen } from '../command_line/screen.ts';
import type { LocalStack } from '../local_stack.ts';
import { BatchExecutions } from './batch_executions.ts';
import type { StartOptions } from './options.ts';
import { countReceiptsToEmbed } from './run_results.ts';

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
