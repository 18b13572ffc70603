import {
  ACTIVE_BATCH_STATUSES,
  type BatchStatus,
  type BatchSummary,
  type BatchType,
  type EndedBatchStatus,
} from 'receipt-embedding/entities/batch';
import { epochMilliseconds } from 'receipt-embedding/entities/keys';
import { submissionDied } from 'receipt-embedding/table/batch_listing';
import type { BatchCounts } from '../table/counts.ts';

/**
 * What may be wrong with a batch that has not ended. `submission_died`: SUBMITTING for longer than that can take.
 * `claim_expired`: an execution died while it worked on it. `failed_before`: an execution could not finish it. In each
 * case the next poll sees to it.
 */
export type BatchProblem = 'submission_died' | 'claim_expired' | 'failed_before';

export interface TroubledBatch {
  readonly batch_id: string;
  readonly batch_type: BatchType;
  readonly status: BatchStatus;
  readonly submitted_at: string;
  readonly age_seconds: number;
  readonly problems: readonly BatchProblem[];
  readonly last_error?: string;
}

export interface ActiveBatches {
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
  /** Oldest first. */
  readonly troubled: readonly TroubledBatch[];
  readonly invalid_rows: number;
}

/** Batches by state, those of each state that are oldest, and those that something has gone wrong with. */
export function batchesView({ active, ended, invalid_rows }: BatchCounts, now: Date): BatchesView {
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
    invalid_rows,
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
  const { claim_expires_at: expiry, last_error } = batch;
  const problems: BatchProblem[] = [];
  if (submissionDied(batch, now)) problems.push('submission_died');
  if (expiry !== undefined && epochMilliseconds(expiry) < now.getTime()) {
    problems.push('claim_expired');
  }
  if (last_error !== undefined) problems.push('failed_before');
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
