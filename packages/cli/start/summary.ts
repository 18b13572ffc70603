import {
  type DescribeExecutionCommandOutput,
  ListMapRunsCommand,
  paginateListExecutions,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import {
  BATCH_RESULT_PREFIX,
  type BatchSummary,
  batchSummaryCodec,
  batchSummaryKey,
} from 'receipt-embedding/entities/batch';
import { type CompactionRun, compactionRunCodec } from 'receipt-embedding/entities/compaction_run';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { ofType, queryPages, type Table } from 'receipt-embedding/table/table';
import { z } from 'zod';
import { tableSource } from '../estimate/receipt_source.ts';
import {
  executionEnd,
  executionFailure,
  type WorkflowSummary,
} from '../executions/execution_end.ts';
import type { LocalStack } from '../local_stack.ts';
import { countEmbeddingStatuses, ONE_SHARD } from '../table/counts.ts';
import type { RunCost } from './aws_cost.ts';
import type { StoredVectors } from './proof.ts';
import type { BatchRun, RealtimeRun } from './run_workflows.ts';

/** The workflow's own summary; when no receipt was found it has no results. */
export type RunOutput = Omit<Extract<WorkflowSummary, { workflow: 'realtime' }>, 'workflow'>;

interface EndedExecution {
  readonly arn: string;
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}

export interface RealtimeExecution extends EndedExecution {
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
  readonly batch_executions: readonly EndedExecution[];
  readonly batch_seconds: number;
  /** What OpenAI has read for the batches that have ended, and what that costs at its list price; null: not known. */
  readonly batch_openai: { readonly tokens: number; readonly estimated_cost_usd: number | null };
  readonly batches: readonly BatchLine[];
  /** The first 20 lines and words that are FAILED in them, and why. */
  readonly batch_refusals: readonly { readonly id: string; readonly reason: string }[];
}

/** What `--summary` writes. */
export interface StartSummary extends RealtimeSummary, BatchesSummary, StoredVectors {
  readonly statuses: AllStatuses;
  readonly estimated_cost: RunCost;
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
  { table }: LocalStack,
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
    batch_refusals: await readRefusals(table, batches),
  };
}

async function describeRealtime(
  stack: LocalStack,
  { execution, seconds }: RealtimeRun,
): Promise<RealtimeExecution> {
  const end = describeEnd(execution);
  const { output, summary } = executionEnd(execution);
  return {
    ...end,
    output: summary?.workflow === 'realtime' ? (output as RunOutput) : null,
    seconds,
    time_spent: await timeSpent(stack, end.arn),
  };
}

function describeEnd(execution: DescribeExecutionCommandOutput): EndedExecution {
  const { error, cause } = executionFailure(execution);
  return {
    arn: execution.executionArn ?? '',
    status: execution.status ?? 'UNKNOWN',
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Embedding status → how many. */
export type StatusCounts = Readonly<Record<string, number>>;

interface AllStatuses {
  readonly lines: StatusCounts;
  readonly words: StatusCounts;
}

/** How many lines and words have which embedding status; only statuses that occur. */
export async function countAllStatuses(table: Table): Promise<AllStatuses> {
  return occurringStatuses(await countEmbeddingStatuses(table, { shards: ONE_SHARD }));
}

export function occurringStatuses({ lines, words }: AllStatuses): AllStatuses {
  return { lines: occurring(lines), words: occurring(words) };
}

function occurring(counts: StatusCounts): StatusCounts {
  return Object.fromEntries(Object.entries(counts).filter(([, number]) => number > 0));
}

/** How many receipts have a line or word that waits to be embedded. */
export async function countReceiptsToEmbed(table: Table): Promise<number> {
  const receipts = new Set<ReceiptIdentity>();
  for await (const receipt of tableSource(table, { count: 0 }).receipts('NONE')) {
    receipts.add(receipt);
  }
  return receipts.size;
}

/** All batches, in the order of their submission. */
export async function readBatchSummaries(table: Table): Promise<BatchSummary[]> {
  const batches: BatchSummary[] = [];
  const pages = queryPages(table, ofType('BATCH_SUMMARY'));
  for await (const { rows } of pages) {
    batches.push(...rows.map((row) => z.decode(batchSummaryCodec, row as never)));
  }
  return batches.sort((a, b) => (a.submitted_at < b.submitted_at ? -1 : 1));
}

const REFUSALS_SHOWN = 20;

async function readRefusals(
  table: Table,
  batches: readonly BatchSummary[],
): Promise<BatchesSummary['batch_refusals']> {
  const refusals: { id: string; reason: string }[] = [];
  for (const { batch_id, failed = 0 } of batches) {
    if (failed === 0) continue;
    const pages = queryPages(table, {
      KeyConditionExpression: 'PK = :batch AND begins_with(SK, :result)',
      FilterExpression: '#status = :failed',
      ExpressionAttributeNames: { '#status': 'status' },
      values: {
        batch: batchSummaryKey(batch_id).PK,
        result: BATCH_RESULT_PREFIX,
        failed: 'FAILED',
      },
    });
    for await (const { rows } of pages) {
      for (const { pinecone_id, error_message } of rows) {
        refusals.push({ id: String(pinecone_id), reason: String(error_message) });
        if (refusals.length === REFUSALS_SHOWN) return refusals;
      }
    }
  }
  return refusals;
}

/** All recorded runs, oldest first. */
export async function readCompactionRuns(table: Table): Promise<CompactionRun[]> {
  const runs: CompactionRun[] = [];
  const pages = queryPages(table, {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :runs',
    values: { runs: 'RUNS' },
  });
  for await (const { rows } of pages) {
    runs.push(...rows.map((row) => z.decode(compactionRunCodec, row as never)));
  }
  return runs;
}

/** Where the receipts' time went, milliseconds added up over all of them. */
export interface TimeSpent {
  /** In the functions' own code. */
  readonly functions: number;
  /** In functions that waited for AWS's and OpenAI's stand-ins. */
  readonly stand_ins: number;
  /** In the state machines, between functions. */
  readonly orchestration: number;
}

/** Adds up an execution that is over; nothing else may have run on this stack. */
export async function timeSpent(
  { aws, vendorWaiting }: LocalStack,
  executionArn: string,
): Promise<TimeSpent> {
  const activity = [...aws.lambda.activity];
  const inFunctions = sum(activity.map(([, { milliseconds }]) => milliseconds));
  const inReceipts = sum(
    activity
      .filter(([functionName]) => functionName.includes('process-receipt'))
      .map(([, { milliseconds }]) => milliseconds),
  );
  const waiting = aws.edge.waiting.milliseconds + vendorWaiting.milliseconds;
  return {
    functions: inFunctions - waiting,
    stand_ins: waiting,
    orchestration: (await childMilliseconds(aws.clients.sfn, executionArn)) - inReceipts,
  };
}

async function childMilliseconds(sfn: SFNClient, executionArn: string): Promise<number> {
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  let milliseconds = 0;
  for (const { mapRunArn } of mapRuns) {
    for await (const { executions = [] } of paginateListExecutions(
      { client: sfn },
      { mapRunArn },
    )) {
      for (const { startDate, stopDate } of executions) {
        milliseconds += (stopDate?.getTime() ?? 0) - (startDate?.getTime() ?? 0);
      }
    }
  }
  return milliseconds;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
