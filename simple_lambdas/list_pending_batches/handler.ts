import { createDynamoDBClient, createS3Client, writeText } from 'receipt-embedding/aws';
import { listPendingEmbeddingBatches } from 'receipt-embedding/batches';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { toJsonLines } from '../runtime/json_lines.ts';
import { listBatches, listBatchesInputSchema } from './list_batches.ts';

const environment = parseEnvironment(
  {
    DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME,
    BATCH_BUCKET: variables.BATCH_BUCKET,
  },
  process.env,
);
const table = { client: createDynamoDBClient(), name: environment.DYNAMODB_TABLE_NAME };
const s3 = createS3Client();

/** Lists the batches of a poll. @see listBatches */
export const handler = createHandler({
  service: 'list_pending_batches',
  input: listBatchesInputSchema,
  handle: async (input, { logger, metrics, requestId }) => {
    const listed = await listBatches(
      input,
      {
        listPending: (most) =>
          listPendingEmbeddingBatches(table, { now: new Date(), most, logger }),
        writeManifest: async (executionName, batches) => {
          const manifest = {
            bucket: environment.BATCH_BUCKET,
            key: `polls/${executionName}/batches.jsonl`,
          };
          await writeText(s3, manifest, toJsonLines(batches), 'application/jsonl');
          return manifest;
        },
      },
      requestId,
    );
    metrics.count('InvalidRows', listed.invalid_rows);
    logger.info('batches listed', { ...listed });
    return listed;
  },
});
