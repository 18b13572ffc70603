import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createS3Client } from 'receipt-embedding/aws';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { readOutcomes, type ResultLocation, type ResultReader } from './map_results.ts';
import { summarizeRun, summarizeRunInputSchema } from './summarize_run.ts';

const environment = parseEnvironment({ EMBEDDING_MODEL: variables.EMBEDDING_MODEL }, process.env);
const s3 = createS3Client();

const reader: ResultReader = {
  readText: async (location) => {
    const body = await open(location);
    return await body.transformToString();
  },
  readLines: async function* (location) {
    const body = await open(location);
    for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
      if (line !== '') yield line;
    }
  },
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

async function open({ Bucket, Key }: ResultLocation): Promise<Readable & S3Body> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  if (Body === undefined) throw new InvalidReceiptData(`s3://${Bucket}/${Key} has no content`);
  return Body as Readable & S3Body;
}

interface S3Body {
  transformToString(): Promise<string>;
}
