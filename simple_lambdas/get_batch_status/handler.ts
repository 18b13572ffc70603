import {
  believeMissing,
  findOpenaiBatch,
  getOpenaiBatchStatus,
  type OpenaiBatchStatus,
  SETTLING_MS,
} from 'receipt-embedding/batches/openai_batches';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import {
  type BatchStatus,
  type BatchSummary,
  type BatchType,
  isEnded,
  UNKNOWN_ID,
} from 'receipt-embedding/entities/batch';
import { epochMilliseconds, toTimestamp } from 'receipt-embedding/entities/keys';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import type { Clock } from 'receipt-embedding/ports';
import { RETRY_ATTRIBUTES } from 'receipt-embedding/table/batch_retries';
import {
  type BatchChanges,
  type BatchUpdateOptions,
  leaseBatch,
  readBatchSummary,
  updateBatch,
} from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { batchWorkFields, keepingLease } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { ownObjects } from '../runtime/openai_objects.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';

export const batchStatusInputSchema = z.strictObject(batchWorkFields);

export type BatchStatusInput = z.output<typeof batchStatusInputSchema>;

export interface BatchStatusOutput extends BatchStatusInput {
  readonly batch_type: BatchType;
  /**
   * `wait`: it is running, or another execution works on it. `ingest`: it has ended and has files.
   * `release`: it has ended without any, and its claims are to be released.
   */
  readonly action: 'wait' | 'ingest' | 'release';
  readonly batch_status: BatchStatus;
  /** Why it did not end as it should. */
  readonly reason: string | null;
  readonly input_file_id: string | null;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
}

const environment = readEnvironment(declaration);
const table = openTable(environment);

/**
 * Answers what the status of a batch is and what is to be done about it. A batch whose submission died is looked for at
 * OpenAI, and adopted or given up.
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', execution_name: 'poll-1',
 *   execution_id: 'arn:aws:states:us-east-1:123456789012:execution:batch-poll-embedding-sf-dev:poll-1',
 * }
 * // answer
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', execution_name: 'poll-1', execution_id: 'arn:…', batch_type: 'LINE_EMBEDDING',
 *   action: 'ingest', batch_status: 'COMPLETED', reason: null,
 *   input_file_id: 'file-1', output_file_id: 'file-2', error_file_id: null,
 * }
 */
export const handler = createHandler(declaration, {
  input: batchStatusInputSchema,
  handle: async (input, { logger }) => {
    const { batch_id, execution_id: owner } = input;
    const openai = createOpenAIClient({
      apiKey: await requireSecret(environment, 'openai'),
      baseURL: environment.OPENAI_BASE_URL,
    });
    const claim = () => ({ batch_id, owner, now: new Date() });
    const ports: BatchStatusPorts = {
      claim: () => leaseBatch(table, claim()),
      read: () => readBatchSummary(table, batch_id),
      update: (changes, options) => updateBatch(table, claim(), changes, options),
      findAtOpenai: (since) => findOpenaiBatch(openai, batch_id, since),
      statusAtOpenai: (openaiBatchId) => getOpenaiBatchStatus(openai, openaiBatchId),
      believeMissing: (batch) =>
        believeMissing(batch, `batch ${batch.openai_batch_id}`, ownObjects(table, openai)),
      clock: () => new Date(),
    };
    const result = await keepingLease(table, claim(), () => batchStatus(input, ports));
    // OpenAI's reason may quote an input: it is on the batch's record, and in no log.
    logger.info('batch polled', { ...result, reason: undefined });
    return result;
  },
});

export interface BatchStatusPorts {
  /** @returns the batch, leased; undefined when it has ended, or is another execution's. */
  readonly claim: () => Promise<BatchSummary | undefined>;
  readonly read: () => Promise<BatchSummary | undefined>;
  /** @throws ConcurrentUpdate when the lease is lost. */
  readonly update: (changes: BatchChanges, options?: BatchUpdateOptions) => Promise<void>;
  /** The batch at OpenAI that was created for ours, if any. */
  readonly findAtOpenai: (since: Date) => Promise<string | undefined>;
  /** @returns undefined when OpenAI says that it has no such batch. */
  readonly statusAtOpenai: (openaiBatchId: string) => Promise<OpenaiBatchStatus | undefined>;
  /** @throws InvalidConfiguration when that proves nothing. */
  readonly believeMissing: (batch: BatchSummary) => Promise<void>;
  readonly clock: Clock;
}

const NO_FILES = { input_file_id: null, output_file_id: null, error_file_id: null } as const;

/**
 * The handler's logic. Each step may be repeated.
 *
 * @throws InvalidReceiptData when no such batch exists; RateLimited, UpstreamUnavailable, InvalidConfiguration.
 */
export async function batchStatus(
  input: BatchStatusInput,
  ports: BatchStatusPorts,
): Promise<BatchStatusOutput> {
  const batch = await ports.claim();
  if (batch === undefined) return await elsewhere(input, ports);
  const about = { ...input, batch_type: batch.batch_type };
  const gone = (reason: string): BatchStatusOutput => ({
    ...about,
    action: 'release',
    batch_status: 'FAILED',
    reason,
    ...NO_FILES,
  });
  if (batch.downloaded !== undefined) {
    // An earlier execution has all that OpenAI can say. Its results only want to be recorded.
    const { batch_status, reason } = batch.downloaded;
    return { ...about, action: 'ingest', batch_status, reason, ...NO_FILES };
  }
  const wait = async (batch_status: BatchStatus): Promise<void> => {
    await ports.update(
      { status: batch_status, polled_at: toTimestamp(ports.clock()) },
      { endLease: true, clear: RETRY_ATTRIBUTES },
    );
  };
  const openaiBatchId = await findId(batch, ports);
  if (openaiBatchId === undefined && mayStillAppear(batch, ports.clock())) {
    await ports.update({}, { endLease: true });
    const { status: batch_status, reason = null } = batch;
    return { ...about, action: 'wait', batch_status, reason, ...NO_FILES };
  }
  if (openaiBatchId === undefined) {
    return gone(
      batch.reason ?? 'its submission never came to an end, and OpenAI has no such batch',
    );
  }
  const found = await ports.statusAtOpenai(openaiBatchId);
  if (found === undefined) {
    await ports.believeMissing({ ...batch, openai_batch_id: openaiBatchId });
    return gone(`OpenAI knows no batch ${openaiBatchId}`);
  }
  const { status: batch_status, reason, ...files } = found;
  if (!isEnded(batch_status)) {
    await wait(batch_status);
    return { ...about, action: 'wait', batch_status, reason, ...files };
  }
  await ports.update({
    ...(files.output_file_id === null ? {} : { result_file_id: files.output_file_id }),
    ...(files.error_file_id === null ? {} : { error_file_id: files.error_file_id }),
  });
  const hasFiles = files.output_file_id !== null || files.error_file_id !== null;
  return {
    ...about,
    action: hasFiles ? 'ingest' : 'release',
    batch_status,
    reason: reason ?? (batch_status === 'COMPLETED' && !hasFiles ? 'it has no output' : null),
    ...files,
  };
}

async function findId(batch: BatchSummary, ports: BatchStatusPorts): Promise<string | undefined> {
  if (batch.status !== 'SUBMITTING' && batch.openai_batch_id !== UNKNOWN_ID) {
    return batch.openai_batch_id;
  }
  const found = await ports.findAtOpenai(new Date(epochMilliseconds(batch.submitted_at)));
  if (found !== undefined) await ports.update({ status: 'PENDING', openai_batch_id: found });
  return found;
}

/** Whether a creation may be under way whose answer nobody has. */
function mayStillAppear({ creating_since }: BatchSummary, now: Date): boolean {
  return (
    creating_since !== undefined && now.getTime() - epochMilliseconds(creating_since) < SETTLING_MS
  );
}

async function elsewhere(
  input: BatchStatusInput,
  { read }: BatchStatusPorts,
): Promise<BatchStatusOutput> {
  const batch = await read();
  if (batch === undefined) throw new InvalidReceiptData(`there is no batch ${input.batch_id}`);
  const { batch_type, status: batch_status, reason = null } = batch;
  return { ...input, batch_type, action: 'wait', batch_status, reason, ...NO_FILES };
}
