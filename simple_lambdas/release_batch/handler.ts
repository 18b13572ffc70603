import {
  type BatchEnd,
  type BatchIds,
  type BatchOutcome,
  markBatchComplete,
} from 'receipt-embedding/batches/mark_batch_complete';
import { believeMissing } from 'receipt-embedding/batches/openai_batches';
import { readRequestedEntities } from 'receipt-embedding/batches/requested_entities';
import type OpenAI from 'openai';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import {
  batchStatusSchema,
  type BatchSummary,
  ENDED_BATCH_STATUSES,
  isOurs,
} from 'receipt-embedding/entities/batch';
import { leaseBatch, readBatchSummary, updateBatch } from 'receipt-embedding/table/batch_summaries';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { z } from 'zod';
import { batchWorkFields, endOnce, keepingLease, openBatchStorage } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { errorMessage } from '../runtime/failures.ts';
import { createHandler } from '../runtime/handler.ts';
import { deleteFiles, ownObjects } from '../runtime/openai_objects.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';

/** The answer of get_batch_status and, where the results could not be downloaded, the reason. */
export const releaseBatchInputSchema = z.object({
  ...batchWorkFields,
  batch_status: batchStatusSchema.extract(ENDED_BATCH_STATUSES),
  reason: z.string().nullable(),
  input_file_id: z.string().nullable(),
  failure: z.object({ Error: z.string(), Cause: z.string() }).optional(),
});

export type ReleaseBatchInput = z.output<typeof releaseBatchInputSchema>;

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/**
 * Ends a batch that has no results, and releases its claims: its lines and words return to NONE. @see markBatchComplete
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', execution_name: 'poll-1', execution_id: 'arn:…',
 *   batch_status: 'EXPIRED', reason: null, input_file_id: 'file-1',
 * }
 * // answer
 * {
 *   status: 'complete', batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'WORD_EMBEDDING',
 *   batch_status: 'EXPIRED', requested: 6, succeeded: 0, failed: 0, released: 6, prompt_tokens: 0, reason: null,
 * }
 */
export const handler = createHandler(declaration, {
  input: releaseBatchInputSchema,
  handle: async (input, { logger, metrics }) => {
    const { batch_id } = input;
    const claim = () => ({ batch_id, owner: input.execution_id, now: new Date() });
    const openAI = async (): Promise<OpenAI> =>
      createOpenAIClient({
        apiKey: await requireSecret(environment, 'openai'),
        baseURL: environment.OPENAI_BASE_URL,
      });
    const recoverIds = async (batch: BatchSummary): Promise<void> => {
      const openai = await openAI();
      const { texts } = await readRequestedEntities(batch, input.input_file_id, {
        storage,
        openai,
        believeMissing: (what) => believeMissing(batch, what, ownObjects(table, openai)),
        readText: (receipt) => readReceiptText(table, receipt, logger),
      });
      await storage.writeRequestedIds(batch_id, [...texts.keys()]);
      await updateBatch(table, claim(), { requested: texts.size });
    };
    const end = async (batch: BatchSummary): Promise<BatchOutcome> => {
      const ids = await idsOf(batch, {
        plannedIds: () => storage.plannedIds(batch_id),
        requestedIds: () => storage.requestedIds(batch_id),
        recoverIds,
      });
      return await markBatchComplete(table, claim(), batch, ids, endWithoutResults(input, batch));
    };
    const outcome = await keepingLease(table, claim(), () =>
      endOnce(
        batch_id,
        {
          claim: () => leaseBatch(table, claim()),
          read: () => readBatchSummary(table, batch_id),
          end,
        },
        metrics,
      ),
    );
    await deleteFiles(batch_id, { environment, table, openai: openAI, logger });
    // The reason is on the batch's record, where `status` shows it.
    logger.info('batch released', { ...outcome, reason: undefined });
    return outcome;
  },
});

/** How a batch without results ends: as OpenAI says, or FAILED where its results no longer exist. */
export function endWithoutResults(
  { batch_status, reason, failure }: ReleaseBatchInput,
  batch: BatchSummary,
): BatchEnd {
  const prompt_tokens = batch.prompt_tokens ?? 0;
  if (failure === undefined) return { status: batch_status, reason, prompt_tokens };
  return { status: 'FAILED', reason: errorMessage(failure.Cause), prompt_tokens };
}

export interface RequestedIdsPorts {
  /** The ids in its plan: all that it may have claimed. */
  readonly plannedIds: () => AsyncIterable<string>;
  /** The ids in its requests. */
  readonly requestedIds: () => AsyncIterable<string>;
  /** Writes the requests of a legacy batch, as far as OpenAI or the table still tell what it asked for. */
  readonly recoverIds: (batch: BatchSummary) => Promise<void>;
}

/** The ids that a batch has asked for, and those that it may have claimed. */
export async function idsOf(
  batch: BatchSummary,
  { plannedIds, requestedIds, recoverIds }: RequestedIdsPorts,
): Promise<BatchIds> {
  if (!isOurs(batch)) {
    if (batch.requested === undefined) await recoverIds(batch);
    return { requested: requestedIds() };
  }
  // A submission that died while it claimed has asked for nothing.
  return batch.requested === undefined
    ? { requested: plannedIds() }
    : { requested: requestedIds(), planned: plannedIds() };
}
