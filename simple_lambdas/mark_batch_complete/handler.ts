import { markBatchComplete } from 'receipt-embedding/batches/mark_batch_complete';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import { ENDED_BATCH_STATUSES, isOurs } from 'receipt-embedding/entities/batch';
import { leaseBatch, readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { batchWorkFields, endOnce, keepingLease, openBatchStorage } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { deleteFiles } from '../runtime/openai_objects.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/** The part of download_batch_results' answer that matters at the end. */
const inputSchema = z.object({
  ...batchWorkFields,
  batch_status: z.enum(ENDED_BATCH_STATUSES),
  reason: z.string().nullable(),
  results: z.object({ prompt_tokens: z.int().min(0) }),
});

/**
 * Ends a batch whose results are recorded. @see markBatchComplete
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', execution_name: 'poll-1', execution_id: 'arn:…',
 *   batch_status: 'COMPLETED', reason: null, results: { prompt_tokens: 50 },
 * }
 * // answer
 * {
 *   status: 'complete', batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'WORD_EMBEDDING',
 *   batch_status: 'COMPLETED', requested: 6, succeeded: 5, failed: 1, released: 0, prompt_tokens: 50, reason: null,
 * }
 */
export const handler = createHandler(declaration, {
  input: inputSchema,
  handle: async (input, { logger, metrics }) => {
    const { batch_id, batch_status: status, reason, results } = input;
    const claim = () => ({ batch_id, owner: input.execution_id, now: new Date() });
    const end = { status, reason, prompt_tokens: results.prompt_tokens };
    const outcome = await keepingLease(table, claim(), () =>
      endOnce(
        batch_id,
        {
          claim: () => leaseBatch(table, claim()),
          read: () => readBatchSummary(table, batch_id),
          end: (batch) => {
            const requested = storage.requestedIds(batch_id);
            const ids = isOurs(batch)
              ? { requested, planned: storage.plannedIds(batch_id) }
              : { requested };
            return markBatchComplete(table, claim(), batch, ids, end);
          },
        },
        metrics,
      ),
    );
    await deleteFiles(batch_id, {
      environment,
      table,
      openai: async () =>
        createOpenAIClient({
          apiKey: await requireSecret(environment, 'openai'),
          baseURL: environment.OPENAI_BASE_URL,
        }),
      logger,
    });
    metrics.count('BatchRowsFailed', outcome.failed);
    // The reason is on the batch's record, where `status` shows it.
    logger.info('batch complete', { ...outcome, reason: undefined });
    return outcome;
  },
});
