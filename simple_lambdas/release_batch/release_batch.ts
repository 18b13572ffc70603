import { isOurs } from 'receipt-embedding/entities/batch';
import type { BatchEnd } from 'receipt-embedding/batches/mark_batch_complete';
import {
  batchStatusSchema,
  type BatchSummary,
  ENDED_BATCH_STATUSES,
} from 'receipt-embedding/entities/batch';
import { z } from 'zod';
import { executionNameSchema } from '../runtime/execution_input.ts';
import { errorMessage } from '../runtime/failures.ts';

/** What get_batch_status answered and, where the results could not be had, why. */
export const releaseBatchInputSchema = z.object({
  batch_id: z.uuid(),
  execution_name: executionNameSchema,
  batch_status: batchStatusSchema.extract(ENDED_BATCH_STATUSES),
  reason: z.string().nullable(),
  input_file_id: z.string().nullable(),
  failure: z.object({ Error: z.string(), Cause: z.string() }).optional(),
});

export type ReleaseBatchInput = z.output<typeof releaseBatchInputSchema>;

/** How a batch without results ends: as OpenAI says, or FAILED where its results can't be had any more. */
export function endWithoutResults(
  { batch_status, reason, failure }: ReleaseBatchInput,
  batch: BatchSummary,
): BatchEnd {
  const prompt_tokens = batch.prompt_tokens ?? 0;
  return failure === undefined
    ? { status: batch_status, reason, prompt_tokens }
    : { status: 'FAILED', reason: errorMessage(failure.Cause), prompt_tokens };
}

export interface RequestedIdsPorts {
  /** What its plan wants: all that it may have claimed. */
  readonly plannedIds: () => AsyncIterable<string>;
  /** What its requests ask for. */
  readonly requestedIds: () => AsyncIterable<string>;
  /** What an older system's batch has asked for, as far as that can still be told; it is kept. */
  readonly recoverIds: (batch: BatchSummary) => Promise<void>;
}

/** What a batch has asked for, or may at least have claimed. */
export async function idsOf(
  batch: BatchSummary,
  { plannedIds, requestedIds, recoverIds }: RequestedIdsPorts,
): Promise<AsyncIterable<string>> {
  if (batch.requested !== undefined) return requestedIds();
  if (isOurs(batch)) return plannedIds();
  await recoverIds(batch);
  return requestedIds();
}
