import { markBatchComplete } from 'receipt-embedding/batches/mark_batch_complete';
import { ENDED_BATCH_STATUSES } from 'receipt-embedding/entities/batch';
import { claimBatch, readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { countOutcome } from '../runtime/batch_metrics.ts';
import { endOnce } from '../runtime/end_batch.ts';
import { parseEnvironment } from '../runtime/environment.ts';
import { executionNameSchema } from '../runtime/execution_input.ts';
import { createHandler } from '../runtime/handler.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';

const environment = parseEnvironment(storeVariables, process.env);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/** What download_batch_results answered, as far as it matters at the end. */
const inputSchema = z.object({
  batch_id: z.uuid(),
  execution_name: executionNameSchema,
  batch_status: z.enum(ENDED_BATCH_STATUSES),
  reason: z.string().nullable(),
  results: z.object({ prompt_tokens: z.int().min(0) }),
});

/** Ends a batch whose results are recorded. @see markBatchComplete */
export const handler = createHandler({
  service: 'mark_batch_complete',
  input: inputSchema,
  handle: async (input, { logger, metrics }) => {
    const { batch_id, batch_status: status, reason, results } = input;
    const claim = () => ({ batch_id, owner: input.execution_name, now: new Date() });
    const outcome = await endOnce(batch_id, {
      claim: () => claimBatch(table, claim()),
      read: () => readBatchSummary(table, batch_id),
      end: (batch) =>
        markBatchComplete(table, claim(), batch, storage.requestedIds(batch_id), {
          status,
          reason,
          prompt_tokens: results.prompt_tokens,
        }),
    });
    countOutcome(metrics, outcome);
    metrics.count('BatchRowsFailed', outcome.failed);
    // OpenAI's reason may quote an input: it is on the batch's record, and in no log.
    logger.info('batch complete', { ...outcome, reason: undefined });
    return outcome;
  },
});
