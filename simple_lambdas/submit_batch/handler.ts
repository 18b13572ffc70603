import { setTimeout as sleep } from 'node:timers/promises';
import { claimPlannedEntities } from 'receipt-embedding/batches/requested_entities';
import { markBatchComplete } from 'receipt-embedding/batches/mark_batch_complete';
import {
  createOpenaiBatch,
  findOpenaiBatch,
  uploadBatchRequests,
} from 'receipt-embedding/batches/openai_batches';
import {
  claimBatch,
  createBatchSummary,
  readBatchSummary,
  updateBatch,
} from 'receipt-embedding/table/batch_summaries';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { connectOpenAI, openaiVariables } from '../runtime/openai_access.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';
import { submitBatch, submitBatchInputSchema } from './submit_batch.ts';

const environment = parseEnvironment(
  {
    ...storeVariables,
    EMBEDDING_MODEL: variables.EMBEDDING_MODEL,
    EMBEDDING_DIMENSIONS: variables.EMBEDDING_DIMENSIONS,
    ...openaiVariables,
  },
  process.env,
);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const model = {
  model: environment.EMBEDDING_MODEL,
  dimensions: environment.EMBEDDING_DIMENSIONS,
};

/** Submits one batch. @see submitBatch */
export const handler = createHandler({
  service: 'submit_batch',
  input: submitBatchInputSchema,
  handle: async (input, { logger, metrics }) => {
    const { batch_id } = input;
    const openai = await connectOpenAI(environment);
    const claim = () => ({ batch_id, owner: input.execution_name, now: new Date() });
    const result = await submitBatch(input, {
      create: (batch) => createBatchSummary(table, batch, claim()),
      claim: () => claimBatch(table, claim()),
      read: () => readBatchSummary(table, batch_id),
      update: (changes, options) => updateBatch(table, claim(), changes, options),
      claimEntities: () => claimPlannedEntities(table, batch_id, model, storage),
      upload: () =>
        storage.withRequestsFile(batch_id, (path) => uploadBatchRequests(openai, path, batch_id)),
      createAtOpenai: (inputFileId) => createOpenaiBatch(openai, inputFileId, batch_id),
      findAtOpenai: (since) => findOpenaiBatch(openai, batch_id, since),
      end: (batch, end) =>
        markBatchComplete(table, claim(), batch, storage.requestedIds(batch_id), end),
      clock: () => new Date(),
      sleep,
      model,
    });
    if (result.status === 'submitted') metrics.count('BatchesSubmitted', 1);
    logger.info('batch submitted', { ...result });
    return result;
  },
});
