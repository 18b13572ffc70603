import { writeFile } from 'node:fs/promises';
import { quantity } from '../command_line/quantity.ts';
import type { Screen } from '../command_line/screen.ts';
import type { LocalStack } from '../local_stack.ts';
import { loadReceipts } from '../receipts/load_receipts.ts';
import { nearestLines } from './nearest_lines.ts';
import type { StartOptions } from './options.ts';
import { ownNeighbours } from './own_neighbours.ts';
import type { ReceiptsToLoad } from './receipts_to_load.ts';
import {
  reportBatches,
  reportNearestLines,
  reportNeighbours,
  reportRun,
  reportStatuses,
} from './report.ts';
import { runBatches } from './run_batches.ts';
import { runRealtime } from './run_realtime.ts';
import { countAllStatuses } from './run_results.ts';
import { shareReceipts } from './share_receipts.ts';
import { type StartSummary, summarizeBatches, summarizeRealtime } from './summary.ts';

/**
 * Loads the receipts, runs the workflows over them, and shows what came of it.
 *
 * @returns whether every execution succeeded.
 */
export async function run(
  stack: LocalStack,
  options: StartOptions,
  receipts: ReceiptsToLoad,
  screen: Screen,
): Promise<boolean> {
  screen.line(`Loading ${receipts.description} into DynamoDB …`);
  const { rows } = await loadReceipts(stack.table, receipts.source);
  screen.line(`  ${quantity(rows, 'row')}`);

  const limits = shareReceipts(options.path, receipts.count, options.limit);
  const realtimeRun =
    limits.realtime === 0 ? undefined : await runRealtime(stack, options, limits.realtime, screen);
  const realtime = await summarizeRealtime(stack, realtimeRun);
  const batchRun =
    limits.batch === 0 ? undefined : await runBatches(stack, options, limits.batch, screen);
  if (options.path === 'both' && batchRun === undefined) {
    screen.line('No receipt is left for the batches');
  }
  const summary: StartSummary = {
    ...realtime,
    ...(await summarizeBatches(stack, batchRun)),
    statuses: await countAllStatuses(stack.table),
  };

  if (summary.execution !== null) reportRun(screen, summary, summary.execution);
  if (batchRun !== undefined) reportBatches(screen, summary);
  reportStatuses(screen, summary.statuses);
  if (summary.compaction_runs.length > 0) {
    reportNearestLines(screen, await nearestLines(stack, summary.compaction_runs));
  }
  if (stack.pinecone.counts.size > 0) {
    reportNeighbours(screen, await ownNeighbours(stack.pineconeAccess));
  }
  if (options.summary !== undefined) {
    await writeFile(options.summary, `${JSON.stringify(summary, null, 2)}\n`);
    screen.line();
    screen.line(`Summary: ${options.summary}`);
  }
  return (
    (summary.execution?.status ?? 'SUCCEEDED') === 'SUCCEEDED' &&
    summary.batch_executions.every(({ status }) => status === 'SUCCEEDED')
  );
}
