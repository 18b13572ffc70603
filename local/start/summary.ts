import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { CompactionRun } from 'receipt-embedding/entities';
import type { RunSummary } from '../../simple_lambdas/summarize_realtime_run/summarize_run.ts';
import type { LocalStack } from '../local_stack.ts';
import { countStatuses, readCompactionRuns, type StatusCounts } from './run_results.ts';
import { timeSpent, type TimeSpent } from './time_spent.ts';

/** The workflow's own summary; when no receipt was found it has no results. */
export type RunOutput = Omit<RunSummary, 'results'> & Partial<Pick<RunSummary, 'results'>>;

/** What `--summary` writes. */
export interface StartSummary {
  readonly execution: {
    readonly arn: string;
    readonly status: string;
    /** Of a failed execution: its cause, when that is a summary. */
    readonly output: RunOutput | null;
    readonly error?: string;
    readonly cause?: string;
  };
  readonly receipts: Pick<RunOutput, 'total' | 'succeeded' | 'reused' | 'skipped' | 'failed'>;
  readonly openai: { readonly requests: number; readonly inputs: number; readonly tokens: number };
  readonly deltas: { readonly bucket: string; readonly keys: readonly string[] };
  readonly compaction_runs: readonly Pick<
    CompactionRun,
    | 'run_id'
    | 'image_id'
    | 'receipt_id'
    | 'lines_delta_prefix'
    | 'words_delta_prefix'
    | 'created_at'
  >[];
  readonly statuses: { readonly lines: StatusCounts; readonly words: StatusCounts };
  readonly seconds: number;
  readonly time_spent: TimeSpent;
}

const NOTHING = { total: 0, succeeded: 0, reused: 0, skipped: 0, failed: 0 };

/** Gathers what an execution has left behind, from the stack itself. */
export async function summarize(
  stack: LocalStack,
  execution: DescribeExecutionCommandOutput,
  seconds: number,
): Promise<StartSummary> {
  const arn = execution.executionArn ?? '';
  const output = parseOutput(execution.output ?? execution.cause);
  const { total, succeeded, reused, skipped, failed } = output ?? NOTHING;
  const runs = await readCompactionRuns(stack.table);
  return {
    execution: {
      arn,
      status: execution.status ?? 'UNKNOWN',
      output: output ?? null,
      ...(execution.error === undefined ? {} : { error: execution.error }),
      ...(execution.cause === undefined ? {} : { cause: execution.cause }),
    },
    receipts: { total, succeeded, reused, skipped, failed },
    openai: { ...stack.openai.usage },
    deltas: {
      bucket: stack.bucket,
      keys: ['lines', 'words'].flatMap((collection) =>
        stack.aws.s3.listKeys(stack.bucket, `${collection}/delta/`),
      ),
    },
    compaction_runs: runs.map(
      ({ run_id, image_id, receipt_id, lines_delta_prefix, words_delta_prefix, created_at }) => ({
        run_id,
        image_id,
        receipt_id,
        lines_delta_prefix,
        words_delta_prefix,
        created_at,
      }),
    ),
    statuses: {
      lines: await countStatuses(stack.table, 'RECEIPT_LINE'),
      words: await countStatuses(stack.table, 'RECEIPT_WORD'),
    },
    seconds,
    time_spent: await timeSpent(stack, arn),
  };
}

/** A run that failed for too many failures has its summary as its cause. */
function parseOutput(text: string | undefined): RunOutput | undefined {
  try {
    const value = JSON.parse(text ?? 'null') as RunOutput | null;
    return typeof value?.total === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}
