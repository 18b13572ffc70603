import { ConcurrentUpdate } from 'receipt-embedding/errors';
import { updateBatch } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { executionNameSchema } from '../runtime/execution_input.ts';
import { describeFailure } from '../runtime/failures.ts';
import { createHandler } from '../runtime/handler.ts';
import { openTable } from '../runtime/stores.ts';

const environment = parseEnvironment(
  { DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME },
  process.env,
);
const table = openTable(environment);

const inputSchema = z.strictObject({
  batch_id: z.uuid(),
  execution_name: executionNameSchema,
  error: z.string(),
  cause: z.string(),
});

/**
 * Notes on a batch why this execution could not finish it, and ends the execution's claim, so that a later one tries again at
 * once. A batch that is another execution's is left as it is.
 */
export const handler = createHandler({
  service: 'record_batch_failure',
  input: inputSchema,
  handle: async ({ batch_id, execution_name: owner, ...failure }, { logger }) => {
    const { error, cause } = describeFailure(failure);
    logger.warn('the batch could not be finished', { batch_id, error, cause });
    try {
      const claim = { batch_id, owner, now: new Date() };
      await updateBatch(table, claim, { last_error: `${error}: ${cause}` }, { endClaim: true });
      return { recorded: true };
    } catch (problem) {
      if (problem instanceof ConcurrentUpdate) return { recorded: false };
      throw problem;
    }
  },
});
