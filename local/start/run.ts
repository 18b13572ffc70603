import { writeFile } from 'node:fs/promises';
import type { LocalStack } from '../local_stack.ts';
import { loadReceipts } from '../receipts/load_receipts.ts';
import { nearestLines } from './nearest_lines.ts';
import type { StartOptions } from './options.ts';
import { watchExecution } from './progress.ts';
import type { ReceiptsToLoad } from './receipts_to_load.ts';
import { reportNearestLines, reportRun } from './report.ts';
import type { Screen } from './screen.ts';
import { summarize } from './summary.ts';

/** The state machine's input, as a user would give it. */
function executionInput({ limit, filter, force }: StartOptions): Record<string, unknown> {
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(filter === undefined ? {} : { filter_by_embedding_status: filter }),
    ...(force ? { force } : {}),
  };
}

/**
 * Loads the receipts, runs the workflow over them, and shows what came of it.
 *
 * @returns whether the execution succeeded.
 */
export async function runRealtime(
  stack: LocalStack,
  options: StartOptions,
  receipts: ReceiptsToLoad,
  screen: Screen,
): Promise<boolean> {
  screen.line(`Loading ${receipts.description} into DynamoDB …`);
  const { rows } = await loadReceipts(stack.table, receipts.source);
  const input = executionInput(options);
  screen.line(`  ${rows.toLocaleString('en-US')} rows`);
  screen.line(`Starting ${stack.stateMachineArn}`);
  screen.line(`  with ${JSON.stringify(input)}`);

  const started = performance.now();
  const executionArn = await stack.start(input);
  const execution = await watchExecution(stack.aws.clients.sfn, executionArn, screen);
  const seconds = (performance.now() - started) / 1_000;

  const summary = await summarize(stack, execution, seconds);
  reportRun(screen, summary);
  if (summary.compaction_runs.length > 0) {
    reportNearestLines(screen, await nearestLines(stack, summary.compaction_runs));
  }
  if (options.summary !== undefined) {
    await writeFile(options.summary, `${JSON.stringify(summary, null, 2)}\n`);
    screen.line();
    screen.line(`Summary: ${options.summary}`);
  }
  return execution.status === 'SUCCEEDED';
}
