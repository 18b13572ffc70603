import { createDynamoDBClient, createS3Client } from 'receipt-embedding/aws_clients';
import { writeText } from 'receipt-embedding/s3_objects';
import { listReceipts, receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { toJsonLines } from '../runtime/json_lines.ts';
import { findReceipts, findReceiptsInputSchema } from './find_receipts.ts';

const environment = parseEnvironment(
  {
    DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME,
    CHROMADB_BUCKET: variables.CHROMADB_BUCKET,
  },
  process.env,
);
const table = { client: createDynamoDBClient(), name: environment.DYNAMODB_TABLE_NAME };
const s3 = createS3Client();

/** Lists the receipts of a run. @see findReceipts */
export const handler = createHandler({
  service: 'find_receipts_realtime',
  input: findReceiptsInputSchema,
  handle: async (input, { logger, metrics, requestId }) => {
    const invalid = { count: 0 };
    const found = await findReceipts(
      input,
      {
        listAll: (after) => listReceipts(table, after, invalid, logger),
        listByStatus: (status, shard, after) =>
          receiptsWithStatus({ table, status, after, invalid, logger }, shard),
        shards: SHARDS,
        invalidRows: () => invalid.count,
        writeManifest: async (executionName, receipts) => {
          const manifest = {
            bucket: environment.CHROMADB_BUCKET,
            key: `runs/${executionName}/receipts.jsonl`,
          };
          await writeText(s3, manifest, toJsonLines(receipts), 'application/jsonl');
          return manifest;
        },
      },
      requestId,
    );
    metrics.count('InvalidRows', invalid.count);
    logger.info('receipts found', {
      total_receipts: found.total_receipts,
      invalid_rows: found.invalid_rows,
    });
    return found;
  },
});
