import { tmpdir } from 'node:os';
import { createDynamoDBClient, createS3Client, writeText } from 'receipt-embedding/aws';
import {
  BatchStorage,
  OPENAI_BATCH_LIMITS,
  planBatches,
  readBatchSummary,
} from 'receipt-embedding/batches';
import type { ReceiptIdentity } from 'receipt-embedding/entities';
import type { Logger } from 'receipt-embedding/ports';
import { readReceiptText, receiptsWithStatus, SHARDS } from 'receipt-embedding/table';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { toJsonLines } from '../runtime/json_lines.ts';
import { plan, planInputSchema } from './plan.ts';

const environment = parseEnvironment(
  {
    DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME,
    BATCH_BUCKET: variables.BATCH_BUCKET,
    BATCH_MAX_TOKENS: variables.BATCH_MAX_TOKENS,
    EMBEDDING_MODEL: variables.EMBEDDING_MODEL,
    EMBEDDING_DIMENSIONS: variables.EMBEDDING_DIMENSIONS,
  },
  process.env,
);
const table = { client: createDynamoDBClient(), name: environment.DYNAMODB_TABLE_NAME };
const s3 = createS3Client();
const storage = new BatchStorage({
  s3,
  bucket: environment.BATCH_BUCKET,
  temporaryFolder: tmpdir(),
});
const model = {
  model: environment.EMBEDDING_MODEL,
  dimensions: environment.EMBEDDING_DIMENSIONS,
};
const limits = { ...OPENAI_BATCH_LIMITS, tokens: environment.BATCH_MAX_TOKENS };

/** Plans batches. @see plan */
export const handler = createHandler({
  service: 'plan_batches',
  input: planInputSchema,
  handle: async (input, { logger, metrics, requestId }) => {
    const invalid = { count: 0 };
    const readText = async (receipt: ReceiptIdentity) => {
      const text = await readReceiptText(table, receipt, logger);
      invalid.count += text.invalid_rows.length;
      return text;
    };
    const planned = await plan(
      input,
      {
        planBatches: (types, mostReceipts, counted) =>
          planBatches(
            { types, model, limits, mostReceipts },
            { receipts: receiptsToDo(invalid, logger), readText },
            counted,
          ),
        statusOf: async (batchId) => (await readBatchSummary(table, batchId))?.status,
        writePlan: (batchId, entities) => storage.writePlan(batchId, entities),
        writeManifest: async (executionName, batches) => {
          const manifest = {
            bucket: environment.BATCH_BUCKET,
            key: `submits/${executionName}/batches.jsonl`,
          };
          await writeText(s3, manifest, toJsonLines(batches), 'application/jsonl');
          return manifest;
        },
        invalidRows: () => invalid.count,
      },
      requestId,
    );
    metrics.count('InvalidRows', invalid.count);
    logger.info('batches planned', { ...planned });
    return planned;
  },
});

/** Shard by shard: always the same order, so that planning twice plans the same. */
async function* receiptsToDo(
  invalid: { count: number },
  logger: Logger,
): AsyncGenerator<ReceiptIdentity> {
  for (const shard of SHARDS) {
    yield* receiptsWithStatus({ table, status: 'NONE', after: undefined, invalid, logger }, shard);
  }
}
