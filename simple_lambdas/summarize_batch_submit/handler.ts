import { createHandler } from '../runtime/handler.ts';
import { readOutcomes } from '../runtime/map_results.ts';
import { s3Results } from '../runtime/s3_results.ts';
import {
  submissionSchema,
  summarizeSubmit,
  summarizeSubmitInputSchema,
} from './summarize_submit.ts';

const results = s3Results();

/** Adds up a submission. @see summarizeSubmit */
export const handler = createHandler({
  service: 'summarize_batch_submit',
  input: summarizeSubmitInputSchema,
  handle: async (input, { logger, metrics }) => {
    const summary = await summarizeSubmit(input, (location) =>
      readOutcomes(location, results, submissionSchema),
    );
    metrics.count('BatchesFailed', summary.failed);
    metrics.countEach('Failures', summary.failures_by_reason);
    logger.info('submission summarized', { ...summary });
    return summary;
  },
});
