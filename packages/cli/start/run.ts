import { writeFile } from 'node:fs/promises';
import type { Screen } from '../command_line/screen.ts';
import { quantity } from '../command_line/text.ts';
import type { LocalStack } from '../local_stack.ts';
import { type InvalidEntry, readReceiptExports } from '../receipt_exports/receipt_exports.ts';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from '../synthetic_receipts/synthetic_receipts.ts';
import { loadReceipts, type ReceiptEntities } from '../table/load_receipts.ts';
import type { StartOptions, StartPath } from './options.ts';
import { nearestLines, ownNeighbours } from './proof.ts';
import {
  reportBatches,
  reportNearestLines,
  reportNeighbours,
  reportRun,
  reportStatuses,
} from './report.ts';
import { runBatches, runRealtime } from './run_workflows.ts';
import {
  countAllStatuses,
  type StartSummary,
  summarizeBatches,
  summarizeRealtime,
} from './summary.ts';

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

export interface ReceiptsToLoad {
  readonly source: ReceiptEntities | Iterable<SyntheticReceipt>;
  /** How many receipts there are to embed. */
  readonly count: number;
  /** What they are, for people. */
  readonly description: string;
  /** Entries of the exports that were left out. */
  readonly skipped: readonly InvalidEntry[];
}

/** @throws InvalidExport for exports that can't be read. */
export async function receiptsToLoad(options: StartOptions): Promise<ReceiptsToLoad> {
  if (options.data === undefined) {
    const { receipts: count, seed, words } = options;
    return {
      source: syntheticReceipts({ count, seed, ...(words === undefined ? {} : { words }) }),
      count,
      description: `${quantity(count, 'synthetic receipt')} (seed ${seed})`,
      skipped: [],
    };
  }
  const exports = await readReceiptExports(options.data, { skipInvalid: options.skipInvalid });
  return {
    source: exports,
    count: exports.receipts.length,
    description: `${quantity(exports.lines.length, 'line')} and ${quantity(exports.words.length, 'word')} of ${options.data.join(', ')}`,
    skipped: exports.skipped,
  };
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
