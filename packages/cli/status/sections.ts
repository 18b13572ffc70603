import {
  DescribeExecutionCommand,
  type ExecutionListItem,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { SQSClient } from '@aws-sdk/client-sqs';
import {
  ACTIVE_BATCH_STATUSES,
  type BatchStatus,
  type BatchSummary,
  type BatchType,
  type EndedBatchStatus,
} from 'receipt-embedding/entities/batch';
import { epochMilliseconds } from 'receipt-embedding/entities/keys';
import { submissionDied } from 'receipt-embedding/table/batch_listing';
import type { Table } from 'receipt-embedding/table/table';
import { requireOutput, type StackOutputs } from '../command_line/deployed_stack.ts';
import { count } from '../command_line/text.ts';
import { failureLine } from '../executions/execution_end.ts';
import {
  type BatchCounts,
  countBatches,
  countCompactionStates,
  countEmbeddingStatuses,
  type EndedWithReason,
} from '../table/counts.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import type { OpenedStore } from '../stores/stack_stores.ts';
import { countStoreGaps } from '../stores/store_gaps.ts';
import { batchLines, entityLines, executionLines, runLines, storeLines } from './report.ts';

/** A part of what a stack is like: as data, and as lines for people. */
export interface Section {
  readonly data: unknown;
  readonly lines: readonly string[];
}

export interface SectionPorts {
  readonly table: Table;
  readonly sfn: SFNClient;
  readonly outputs: StackOutputs;
  readonly openStores: (outputs: StackOutputs) => Promise<Pick<OpenedStore, 'name' | 'identity'>[]>;
  /** Asked only of a stack that embeds what arrives. */
  readonly openQueues: (outputs: StackOutputs) => Promise<Pick<SQSClient, 'send'>>;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** @param share of what is to be read, 0 to 1; 0 throughout where that is not known. */
  readonly onProgress: (text: string, share: number) => void;
}

const MOST_FAILED_RUNS = 10;

/** The newest executions of each workflow. */
export async function executionsSection(
  { sfn, outputs, now }: Pick<SectionPorts, 'sfn' | 'outputs' | 'now'>,
  most: number,
): Promise<Section> {
  const machines = {
    realtime: requireOutput(outputs, 'realtime_embedding_sf_arn'),
    batch_submit: requireOutput(outputs, 'batch_submit_sf_arn'),
    batch_poll: requireOutput(outputs, 'batch_poll_sf_arn'),
  };
  const data: Record<string, readonly ExecutionView[]> = {};
  const lines: string[] = [];
  for (const [workflow, arn] of Object.entries(machines)) {
    const executions = await lastExecutions(sfn, arn, most, now);
    data[workflow] = executions;
    const name = arn.split(':').at(-1) ?? workflow.replace('_', '-');
    lines.push(...(lines.length === 0 ? [] : ['']), ...executionLines(name, executions));
  }
  return { data, lines };
}

export async function batchesSection({ table, now, signal }: SectionPorts): Promise<Section> {
  const data = batchesView(await countBatches(table, SILENT_LOGGER, { signal }), now);
  return { data, lines: batchLines(data) };
}

export async function runsSection({ table, signal, onProgress }: SectionPorts): Promise<Section> {
  const data = await countCompactionStates(table, {
    signal,
    most_failed: MOST_FAILED_RUNS,
    onProgress: (read) => {
      onProgress(`Runs: ${count(read)} so far`, 0);
    },
  });
  return { data, lines: runLines(data) };
}

export async function entitiesSection({
  table,
  signal,
  onProgress,
}: SectionPorts): Promise<Section> {
  const data = await countEmbeddingStatuses(table, {
    signal,
    onProgress: ({ counted, parts, all_parts }) => {
      const text = `Lines and words: ${count(counted)} so far, ${parts} of ${all_parts} parts of the index`;
      onProgress(text, parts / all_parts);
    },
  });
  return { data, lines: entityLines(data) };
}

/** What each store of the stack lacks, by the records of receipts. */
export interface StoresView {
  /** Receipts that are embedded. */
  readonly receipts: number;
  readonly stores: readonly {
    readonly name: string;
    readonly identity: string;
    /** Receipts of which it does not have everything that is embedded. */
    readonly lacks: number;
    /** Receipts of which it may have what is to be removed. */
    readonly unsettled: number;
  }[];
  readonly invalid_rows: number;
}

export async function storesSection({
  table,
  outputs,
  openStores,
  signal,
  onProgress,
}: SectionPorts): Promise<Section> {
  const stores = await openStores(outputs);
  const gaps = await countStoreGaps(
    table,
    stores.map(({ identity }) => identity),
    {
      signal,
      onProgress: (read) => {
        onProgress(`Records of receipts: ${count(read)} so far`, 0);
      },
    },
  );
  const named = gaps.stores.map((gap, at) => ({ name: stores[at]?.name ?? '', ...gap }));
  const data: StoresView = { ...gaps, stores: named };
  return { data, lines: storeLines(data) };
}

/**
 * What may be wrong with a batch that has not ended. `submission_died`: SUBMITTING for longer than that can take.
 * `claim_expired`: an execution died while it worked on it, and nobody works on it now. `failed_before`: an execution could not
 * finish it. In each case a poll sees to it, unless it is `parked`: then none tries it before somebody asks for it.
 */
export type BatchProblem = 'submission_died' | 'claim_expired' | 'failed_before' | 'parked';

export interface TroubledBatch {
  readonly batch_id: string;
  readonly batch_type: BatchType;
  readonly status: BatchStatus;
  readonly submitted_at: string;
  readonly age_seconds: number;
  readonly problems: readonly BatchProblem[];
  readonly last_error?: string;
}

interface ActiveBatches {
  readonly status: BatchStatus;
  readonly lines: number;
  readonly words: number;
  /** Null where there is none. */
  readonly oldest_submitted_at: string | null;
  readonly oldest_age_seconds: number | null;
}

export interface BatchesView {
  readonly active: readonly ActiveBatches[];
  readonly ended: readonly {
    readonly status: EndedBatchStatus;
    readonly lines: number;
    readonly words: number;
  }[];
  /** How many ended ones have a reason, and the newest of them. */
  readonly with_reason: number;
  readonly newest_with_reason: readonly EndedWithReason[];
  /** Oldest first. */
  readonly troubled: readonly TroubledBatch[];
  readonly invalid_rows: number;
}

/** Batches by state, those of each state that are oldest, and those that something has gone wrong with. */
export function batchesView({ active, ended, ...counts }: BatchCounts, now: Date): BatchesView {
  const byAge = active.toSorted((a, b) => submitted(a) - submitted(b));
  return {
    active: ACTIVE_BATCH_STATUSES.map((status) => ({
      status,
      ...ofStatus(
        byAge.filter((batch) => batch.status === status),
        now,
      ),
    })),
    ended: Object.entries(ended).map(([status, counts]) => ({
      status: status as EndedBatchStatus,
      lines: counts.LINE_EMBEDDING,
      words: counts.WORD_EMBEDDING,
    })),
    troubled: byAge.flatMap((batch) => {
      const problems = problemsOf(batch, now);
      return problems.length === 0 ? [] : [troubled(batch, problems, now)];
    }),
    ...counts,
  };
}

function ofStatus(batches: readonly BatchSummary[], now: Date): Omit<ActiveBatches, 'status'> {
  const [oldest] = batches;
  const lines = batches.filter(({ batch_type }) => batch_type === 'LINE_EMBEDDING').length;
  return {
    lines,
    words: batches.length - lines,
    oldest_submitted_at: oldest?.submitted_at ?? null,
    oldest_age_seconds: oldest === undefined ? null : age(oldest, now),
  };
}

function problemsOf(batch: BatchSummary, now: Date): BatchProblem[] {
  const { claim_expires_at: expiry, last_error, parked_at } = batch;
  const problems: BatchProblem[] = [];
  if (submissionDied(batch, now)) problems.push('submission_died');
  if (expiry !== undefined && epochMilliseconds(expiry) < now.getTime()) {
    problems.push('claim_expired');
  }
  if (parked_at !== undefined) problems.push('parked');
  else if (last_error !== undefined) problems.push('failed_before');
  return problems;
}

function troubled(
  batch: BatchSummary,
  problems: readonly BatchProblem[],
  now: Date,
): TroubledBatch {
  const { batch_id, batch_type, status, submitted_at, last_error } = batch;
  return {
    batch_id,
    batch_type,
    status,
    submitted_at,
    age_seconds: age(batch, now),
    problems,
    ...(last_error === undefined ? {} : { last_error }),
  };
}

const submitted = ({ submitted_at }: BatchSummary): number => epochMilliseconds(submitted_at);

function age(batch: BatchSummary, now: Date): number {
  return Math.max(0, Math.round((now.getTime() - submitted(batch)) / 1_000));
}

/** An execution of a workflow, as far as it has come. */
export interface ExecutionView {
  readonly name: string;
  readonly status: string;
  /** ISO 8601; null where AWS does not say. */
  readonly started_at: string | null;
  /** Null while it runs. */
  readonly stopped_at: string | null;
  /** Until its end, or until now. */
  readonly seconds: number;
  /** Why it did not succeed. */
  readonly error?: string;
  readonly cause?: string;
}

const UNHAPPY = new Set(['FAILED', 'TIMED_OUT', 'ABORTED']);

/** The newest executions of a state machine, newest first; the children of its Maps are none of them. */
async function lastExecutions(
  sfn: SFNClient,
  stateMachineArn: string,
  most: number,
  now: Date,
): Promise<ExecutionView[]> {
  const { executions = [] } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn, maxResults: most }),
  );
  const views: ExecutionView[] = [];
  for (const execution of executions) {
    const unhappy = UNHAPPY.has(execution.status ?? '');
    views.push({ ...view(execution, now), ...(unhappy ? await failure(sfn, execution) : {}) });
  }
  return views;
}

function view({ name, status, startDate, stopDate }: ExecutionListItem, now: Date): ExecutionView {
  const started = startDate ?? now;
  return {
    name: name ?? '',
    status: status ?? 'UNKNOWN',
    started_at: startDate?.toISOString() ?? null,
    stopped_at: stopDate?.toISOString() ?? null,
    seconds: Math.max(0, ((stopDate ?? now).getTime() - started.getTime()) / 1_000),
  };
}

async function failure(
  sfn: SFNClient,
  { executionArn }: ExecutionListItem,
): Promise<Pick<ExecutionView, 'error' | 'cause'>> {
  const { error, cause } = failureLine(
    await sfn.send(new DescribeExecutionCommand({ executionArn })),
  );
  return {
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  };
}
