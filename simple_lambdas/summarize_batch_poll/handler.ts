import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { readOutcomes } from '../runtime/map_results.ts';
import { s3Results } from '../runtime/s3_results.ts';
import { polledBatchSchema, summarizePoll, summarizePollInputSchema } from './summarize_poll.ts';

const environment = parseEnvironment({ EMBEDDING_MODEL: variables.EMBEDDING_MODEL }, process.env);
const results = s3Results();

/** Adds up a poll. @see summarizePoll */
export const handler = createHandler({
  service: 'summarize_batch_poll',
  input: summarizePollInputSchema,
  handle: async (input, { logger, metrics }) => {
    const summary = await summarizePoll(
      input,
      (location) => readOutcomes(location, results, polledBatchSchema),
      environment.EMBEDDING_MODEL,
    );
    metrics.count('BatchesFailed', summary.failed);
    metrics.countEach('Failures', summary.failures_by_reason);
    metrics.count('PromptTokens', summary.prompt_tokens);
    metrics.count('EstimatedCostUsd', summary.estimated_cost_usd ?? 0);
    logger.info('poll summarized', { ...summary });
    return summary;
  },
});
