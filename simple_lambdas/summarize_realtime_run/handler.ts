import { createS3Client, readLines, readText } from 'receipt-embedding/aws';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { readOutcomes, type ResultReader } from './map_results.ts';
import { summarizeRun, summarizeRunInputSchema } from './summarize_run.ts';

const environment = parseEnvironment({ EMBEDDING_MODEL: variables.EMBEDDING_MODEL }, process.env);
const s3 = createS3Client();

const reader: ResultReader = {
  readText: ({ Bucket, Key }) => readText(s3, { bucket: Bucket, key: Key }),
  readLines: ({ Bucket, Key }) => readLines(s3, { bucket: Bucket, key: Key }),
};

/** Adds up a run. @see summarizeRun */
export const handler = createHandler({
  service: 'summarize_realtime_run',
  input: summarizeRunInputSchema,
  handle: async (input, { logger, metrics }) => {
    const summary = await summarizeRun(
      input,
      (location) => readOutcomes(location, reader),
      environment.EMBEDDING_MODEL,
    );
    metrics.count('ReceiptsFailed', summary.failed);
    logger.info('run summarized', { ...summary });
    return summary;
  },
});
