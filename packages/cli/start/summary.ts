import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import type { CompactionRun } from 'receipt-embedding/entities/compaction_run';
import type { RunSummary } from '../../../simple_lambdas/summarize_execution/summaries.ts';
import type { LocalStack } from '../local_stack.ts';
import type { BatchRun } from './run_batches.ts';
import type { RealtimeRun } from './run_realtime.ts';
import { type AllStatuses, readBatchSummaries, readCompactionRuns } from './run_results.ts';
import { timeSpent, type TimeSpent } from './time_spent.ts';

/** The workflow's own summary; when no receipt was found it has no results. */
export type RunOutput = Omit<RunSummary, 'results'> & Partial<Pick<RunSummary, 'results'>>;

interface ExecutionEnd {
  readonly arn: string;
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}

export interface RealtimeExecution extends ExecutionEnd {
  /** Of a failed execution: its cause, when that is a summary. */
  readonly output: RunOutput | null;
  readonly seconds: number;
  readonly time_spent: TimeSpent;
}

/** What is left of the realtime workflow. */
export interface RealtimeSummary {
  /** Null when it did not run. */
  readonly execution: RealtimeExecution | null;
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
}

/** One batch, as its record says. requested = succeeded + failed + released, once it has ended. */
export interface BatchLine {
  readonly id: string;
  readonly type: BatchSummary['batch_type'];
  readonly status: BatchSummary['status'];
  readonly requested: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly released: number;
  /** Why it ended otherwise than it should. */
  readonly reason?: string;
}

/** What is left of the batch workflows. */
export interface BatchesSummary {
  readonly batch_executions: readonly ExecutionEnd[];
  readonly batch_seconds: number;
  /** What OpenAI has read for the batches that have ended, and what that costs at its list price; null: not known. */
  readonly batch_openai: { readonly tokens: number; readonly estimated_cost_usd: number | null };
  readonly batches: readonly BatchLine[];
  readonly pinecone: {
    /** Vectors by namespace. */
    readonly namespaces: Readonly<Record<string, number>>;
    /** To upsert them. */
    readonly requests: number;
  };
}

/** What `--summary` writes. */
export interface StartSummary extends RealtimeSummary, BatchesSummary {
  readonly statuses: AllStatuses;
}

const NOTHING = { total: 0, succeeded: 0, reused: 0, skipped: 0, failed: 0 };

/** Gathers what a realtime execution has left behind, if there was one, from the stack itself. */
export async function summarizeRealtime(
  stack: LocalStack,
  run: RealtimeRun | undefined,
): Promise<RealtimeSummary> {
  const execution = run === undefined ? null : await describeRealtime(stack, run);
  const { total, succeeded, reused, skipped, failed } = execution?.output ?? NOTHING;
  const runs = await readCompactionRuns(stack.table);
  return {
    execution,
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
  };
}

/** The same for the batch workflows. */
export async function summarizeBatches(
  { table, pinecone }: LocalStack,
  run: BatchRun | undefined,
): Promise<BatchesSummary> {
  const batches = await readBatchSummaries(table);
  return {
    batch_executions: (run?.executions ?? []).map(describeEnd),
    batch_seconds: run?.seconds ?? 0,
    batch_openai: {
      tokens: run?.promptTokens ?? 0,
      estimated_cost_usd: run === undefined ? 0 : run.costUsd,
    },
    batches: batches.map(
      ({ batch_id, batch_type, status, requested, succeeded, failed, released, reason }) => ({
        id: batch_id,
        type: batch_type,
        status,
        requested: requested ?? 0,
        succeeded: succeeded ?? 0,
        failed: failed ?? 0,
        released: released ?? 0,
        ...(reason === undefined ? {} : { reason }),
      }),
    ),
    pinecone: {
      namespaces: Object.fromEntries(pinecone.counts),
      requests: pinecone.usage.requests,
    },
  };
}

async function describeRealtime(
  stack: LocalStack,
  { execution, seconds }: RealtimeRun,
): Promise<RealtimeExecution> {
  const end = describeEnd(execution);
  return {
    ...end,
    output: parseOutput(execution.output ?? execution.cause) ?? null,
    seconds,
    time_spent: await timeSpent(stack, end.arn),
  };
}

function describeEnd(execution: DescribeExecutionCommandOutput): ExecutionEnd {
  return {
    arn: execution.executionArn ?? '',
    status: execution.status ?? 'UNKNOWN',
    ...(execution.error === undefined ? {} : { error: execution.error }),
    ...(execution.cause === undefined ? {} : { cause: execution.cause }),
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
