import { findOpenaiBatch, getOpenaiBatchStatus } from 'receipt-embedding/batches/openai_batches';
import { claimBatch, readBatchSummary, updateBatch } from 'receipt-embedding/table/batch_summaries';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { connectOpenAI, openaiVariables } from '../runtime/openai_access.ts';
import { openTable } from '../runtime/stores.ts';
import { batchStatus, batchStatusInputSchema } from './batch_status.ts';

const environment = parseEnvironment(
  { DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME, ...openaiVariables },
  process.env,
);
const table = openTable(environment);

/** Tells how a batch stands. @see batchStatus */
export const handler = createHandler({
  service: 'get_batch_status',
  input: batchStatusInputSchema,
  handle: async (input, { logger }) => {
    const { batch_id, execution_name: owner } = input;
    const openai = await connectOpenAI(environment);
    const claim = () => ({ batch_id, owner, now: new Date() });
    const result = await batchStatus(input, {
      claim: () => claimBatch(table, claim()),
      read: () => readBatchSummary(table, batch_id),
      update: (changes, options) => updateBatch(table, claim(), changes, options),
      findAtOpenai: (since) => findOpenaiBatch(openai, batch_id, since),
      statusAtOpenai: (openaiBatchId) => getOpenaiBatchStatus(openai, openaiBatchId),
    });
    // OpenAI's reason may quote an input: it is on the batch's record, and in no log.
    logger.info('batch polled', { ...result, reason: undefined });
    return result;
  },
});
