import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { progressLine } from '../command_line/progress.ts';
import { count, quantity } from '../command_line/quantity.ts';
import type { Screen } from '../command_line/screen.ts';
import type { LocalStack } from '../local_stack.ts';
import type { StartOptions } from './options.ts';
import { watchLocally } from './watch_locally.ts';

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
