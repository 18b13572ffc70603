import { writeFile } from 'node:fs/promises';
import type { Screen } from '../command_line/screen.ts';
import { quantity, secondsSince } from '../command_line/text.ts';
import type { LocalStack } from '../local_stack.ts';
import { entityLines } from '../status/report.ts';
import { countEmbeddingStatuses, ONE_SHARD } from '../table/counts.ts';
import { loadReceipts } from '../table/load_receipts.ts';
import { estimateRun, reportCost } from './aws_cost.ts';
import type { StartOptions, StartPath } from './options.ts';
import { proveStores } from './proof.ts';
import { type AnsweredQuestion, askStack, questionLines } from './proof_questions.ts';
import { reportBatches, reportRealtime, reportStores } from './report.ts';
import { runBatches, runRealtime } from './run_workflows.ts';
import type { ReceiptsToLoad } from './start.ts';
import {
  occurringStatuses,
  type StartSummary,
  summarizeBatches,
  summarizeRealtime,
} from './summary.ts';

/**
 * Loads the receipts, runs the workflows over them, and shows what came of it.
 *
 * @returns whether every execution succeeded, and what was asked of the vectors afterwards.
 */
export async function runWorkflows(
  stack: LocalStack,
  options: StartOptions,
  receipts: ReceiptsToLoad,
  screen: Screen,
): Promise<FinishedRun> {
  screen.heading(`Loading ${receipts.description} into DynamoDB …`);
  const started = performance.now();
  const { rows } = await loadReceipts(stack.table, receipts.source);
  screen.line(`  ${quantity(rows, 'row')} in ${secondsSince(started)}`);

  const limits = shareReceipts(options.path, receipts.count, options.limit);
  const cost = await estimateRun(stack, options, limits);
  const realtimeRun =
    limits.realtime === 0 ? undefined : await runRealtime(stack, options, limits.realtime, screen);
  const realtime = await summarizeRealtime(stack, realtimeRun);
  const batchRun =
    limits.batch === 0 ? undefined : await runBatches(stack, options, limits.batch, screen);
  if (options.path === 'both' && batchRun === undefined) {
    screen.line('No receipt is left for the batches');
  }
  const statuses = await countEmbeddingStatuses(stack.table, { shards: ONE_SHARD });
  const summary: StartSummary = {
    ...realtime,
    ...(await summarizeBatches(stack, batchRun)),
    statuses: occurringStatuses(statuses),
    ...(await proveStores(stack)),
    estimated_cost: cost,
  };

  reportRealtime(screen, summary);
  if (batchRun !== undefined) reportBatches(screen, summary);
  screen.lines(['', ...entityLines(statuses)]);
  reportStores(screen, summary);
  reportCost(screen, cost);
  const answered = await askStack(stack);
  screen.lines(questionLines(answered));
  if (options.summary !== undefined) {
    await writeFile(options.summary, `${JSON.stringify(summary, null, 2)}\n`);
    screen.line();
    screen.line(`Summary: ${options.summary}`);
  }
  const succeeded =
    (summary.execution?.status ?? 'SUCCEEDED') === 'SUCCEEDED' &&
    summary.batch_executions.every(({ status }) => status === 'SUCCEEDED');
  return { succeeded, answered };
}

export interface FinishedRun {
  readonly succeeded: boolean;
  readonly answered: readonly AnsweredQuestion[];
}

/** How many receipts each workflow may take; undefined: all that it finds; 0: it is not to run. */
export interface ReceiptLimits {
  readonly realtime: number | undefined;
  readonly batch: number | undefined;
}

/** The realtime workflow gets half of the receipts, or of `limit`, and the larger half; the batches get the rest. */
export function shareReceipts(
  path: StartPath,
  receipts: number,
  limit: number | undefined,
): ReceiptLimits {
  if (path === 'realtime') return { realtime: limit, batch: 0 };
  if (path === 'batch') return { realtime: 0, batch: limit };
  const wanted = Math.min(limit ?? receipts, receipts);
  // Of no receipts at all, the realtime workflow is the one that says so.
  const realtime = Math.max(1, Math.ceil(wanted / 2));
  const batch = Math.max(0, wanted - realtime);
  return { realtime, batch: batch > 0 && limit === undefined ? undefined : batch };
}
