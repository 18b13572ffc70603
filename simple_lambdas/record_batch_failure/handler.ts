import { recordedOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import { type BatchSummary, isEnded } from 'receipt-embedding/entities/batch';
import { ConcurrentUpdate } from 'receipt-embedding/errors';
import type { RecordedFailure } from 'receipt-embedding/table/batch_retries';
import { recordFailure } from 'receipt-embedding/table/batch_retries';
import { leaseBatch, readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { batchWorkFields, type CompletedBatch } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { describeFailure } from '../runtime/failures.ts';
import { createHandler } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';

const table = openTable(readEnvironment(declaration));

const inputSchema = z.strictObject({
  ...batchWorkFields,
  error: z.string(),
  cause: z.string(),
});

/** What became of a batch, as the state machine's Map gives it. */
export type FailureRecord =
  /** It has ended all the same: only the answer of its last step was lost. */
  | CompletedBatch
  /** A later execution tries again, or has been at work on it already. */
  | {
      readonly status: 'error';
      readonly batch_id: string;
      readonly error: string;
      readonly cause: string;
      /** Null where another execution works on it. */
      readonly attempts: number | null;
      readonly parked: boolean;
    };

/**
 * Records on a batch why this execution could not finish it, and ends the execution's lease: a later one tries again, after the
 * fifth failure only when somebody asks for it. A batch that another execution has leased is left as it is; of one that has ended,
 * the recorded outcome is answered.
 *
 * @example
 * // event: what a state caught
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', execution_name: 'poll-1', execution_id: 'arn:…',
 *   error: 'RateLimited', cause: '{"errorType":"RateLimited","errorMessage":"slow down"}',
 * }
 * // answer; the batch's `last_error` is 'RateLimited: slow down'
 * {
 *   status: 'error', batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', attempts: 1, parked: false,
 *   error: 'RateLimited', cause: '{"errorType":"RateLimited","errorMessage":"slow down"}',
 * }
 */
export const handler = createHandler(declaration, {
  input: inputSchema,
  handle: async ({ batch_id, execution_id: owner, ...failure }, { logger }) => {
    const { error, cause } = describeFailure(failure);
    logger.warn('the batch could not be finished', { batch_id, error, cause });
    const claim = () => ({ batch_id, owner, now: new Date() });
    const { status, ...became } = await failureRecord(
      { batch_id, ...failure },
      {
        claim: () => leaseBatch(table, claim()),
        read: () => readBatchSummary(table, batch_id),
        record: (batch) => recordFailure(table, claim(), batch, `${error}: ${cause}`),
      },
    );
    logger.info('failure recorded', {
      batch_id,
      status,
      ...('parked' in became ? { attempts: became.attempts, parked: became.parked } : {}),
    });
    return { status, ...became };
  },
});

export interface FailureRecordPorts {
  /** @returns the batch, leased; undefined when it has ended, or is another execution's. */
  readonly claim: () => Promise<BatchSummary | undefined>;
  readonly read: () => Promise<BatchSummary | undefined>;
  /** @throws ConcurrentUpdate when the lease is lost. */
  readonly record: (batch: BatchSummary) => Promise<RecordedFailure>;
}

/** The handler's logic. */
export async function failureRecord(
  failure: { readonly batch_id: string; readonly error: string; readonly cause: string },
  { claim, read, record }: FailureRecordPorts,
): Promise<FailureRecord> {
  const failed = { status: 'error', ...failure } as const;
  const elsewhere = { ...failed, attempts: null, parked: false };
  const batch = await claim();
  if (batch === undefined) {
    const there = await read();
    return there !== undefined && isEnded(there.status)
      ? { status: 'complete', ...recordedOutcome(there) }
      : elsewhere;
  }
  try {
    return { ...failed, ...(await record(batch)) };
  } catch (problem) {
    if (problem instanceof ConcurrentUpdate) return elsewhere;
    throw problem;
  }
}
