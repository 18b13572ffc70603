import { ConcurrentUpdate } from 'receipt-embedding/errors';
import { updateBatch } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { describeFailure } from '../runtime/failures.ts';
import { createHandler, executionNameSchema } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';

const table = openTable(readEnvironment(declaration));

const inputSchema = z.strictObject({
  batch_id: z.uuid(),
  execution_name: executionNameSchema,
  error: z.string(),
  cause: z.string(),
});

/**
 * Records on a batch why this execution could not finish it, and ends the execution's lease, so that a later one can try
 * again at once. A batch that another execution has leased is left as it is.
 *
 * @example
 * // event: what a state caught
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', execution_name: 'poll-1',
 *   error: 'RateLimited', cause: '{"errorType":"RateLimited","errorMessage":"slow down"}',
 * }
 * // answer; the batch's `last_error` is 'RateLimited: slow down'
 * { recorded: true }
 */
export const handler = createHandler(declaration, {
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
