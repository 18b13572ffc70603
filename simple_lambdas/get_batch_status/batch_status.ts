import type { OpenaiBatchStatus } from 'receipt-embedding/batches/openai_batches';
import { isEnded } from 'receipt-embedding/entities/batch';
import {
  type BatchStatus,
  type BatchSummary,
  type BatchType,
  UNKNOWN_ID,
} from 'receipt-embedding/entities/batch';
import { epochMilliseconds } from 'receipt-embedding/entities/keys';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import type { BatchChanges } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { executionNameSchema } from '../runtime/execution_input.ts';

export const batchStatusInputSchema = z.strictObject({
  batch_id: z.uuid(),
  execution_name: executionNameSchema,
});

export type BatchStatusInput = z.output<typeof batchStatusInputSchema>;

export interface BatchStatusOutput extends BatchStatusInput {
  readonly batch_type: BatchType;
  /**
   * `wait`: it is running, or another execution looks after it. `ingest`: it has ended and has files.
   * `release`: it has ended without any, and what it claimed is to be given back.
   */
  readonly action: 'wait' | 'ingest' | 'release';
  readonly batch_status: BatchStatus;
  /** Why it did not end as it should. */
  readonly reason: string | null;
  readonly input_file_id: string | null;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
}

export interface BatchStatusPorts {
  /** @returns the batch, claimed; undefined when it has ended, or is another execution's. */
  readonly claim: () => Promise<BatchSummary | undefined>;
  readonly read: () => Promise<BatchSummary | undefined>;
  /** @throws ConcurrentUpdate when the claim is lost. */
  readonly update: (changes: BatchChanges, options?: { readonly endClaim: true }) => Promise<void>;
  /** The batch at OpenAI that was created for ours, if any. */
  readonly findAtOpenai: (since: Date) => Promise<string | undefined>;
  /** @returns undefined when OpenAI knows no such batch. */
  readonly statusAtOpenai: (openaiBatchId: string) => Promise<OpenaiBatchStatus | undefined>;
}

const NO_FILES = { input_file_id: null, output_file_id: null, error_file_id: null } as const;

/**
 * How a batch stands, and what is to be done about it. One that died while it was submitted is found again at OpenAI, or given
 * up.
 *
 * @throws InvalidReceiptData when there is no such batch; RateLimited, UpstreamUnavailable, InvalidConfiguration.
 */
export async function batchStatus(
  input: BatchStatusInput,
  ports: BatchStatusPorts,
): Promise<BatchStatusOutput> {
  const batch = await ports.claim();
  if (batch === undefined) return await elsewhere(input, ports);
  const about = { ...input, batch_type: batch.batch_type };
  const openaiBatchId = await findId(batch, ports);
  if (openaiBatchId === undefined) {
    const reason =
      batch.reason ?? 'its submission never came to an end, and OpenAI has no such batch';
    return { ...about, action: 'release', batch_status: 'FAILED', reason, ...NO_FILES };
  }
  const found = await ports.statusAtOpenai(openaiBatchId);
  if (found === undefined) {
    const reason = `OpenAI knows no batch ${openaiBatchId}`;
    return { ...about, action: 'release', batch_status: 'FAILED', reason, ...NO_FILES };
  }
  const { status: batch_status, reason, ...files } = found;
  if (!isEnded(batch_status)) {
    await ports.update({ status: batch_status }, { endClaim: true });
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

async function elsewhere(
  input: BatchStatusInput,
  { read }: BatchStatusPorts,
): Promise<BatchStatusOutput> {
  const batch = await read();
  if (batch === undefined) throw new InvalidReceiptData(`there is no batch ${input.batch_id}`);
  const { batch_type, status: batch_status, reason = null } = batch;
  return { ...input, batch_type, action: 'wait', batch_status, reason, ...NO_FILES };
}
