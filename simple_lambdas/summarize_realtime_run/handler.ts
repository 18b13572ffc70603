import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { readOutcomes } from '../runtime/map_results.ts';
import { s3Results } from '../runtime/s3_results.ts';
import { outcomeSchema } from './receipt_outcomes.ts';
import { summarizeRun, summarizeRunInputSchema } from './summarize_run.ts';

const environment = parseEnvironment({ EMBEDDING_MODEL: variables.EMBEDDING_MODEL }, process.env);
const results = s3Results();

/** Adds up a run. @see summarizeRun */
export const handler = createHandler({
  service: 'summarize_realtime_run',
  input: summarizeRunInputSchema,
  handle: async (input, { logger, metrics }) => {
    const summary = await summarizeRun(
      input,
      (location) => readOutcomes(location, results, outcomeSchema),
      environment.EMBEDDING_MODEL,
    );
    metrics.count('ReceiptsFailed', summary.failed);
    metrics.countEach('Failures', summary.failures_by_reason);
    logger.info('run summarized', { ...summary });
    return summary;
  },
});
