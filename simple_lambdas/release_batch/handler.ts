import { tmpdir } from 'node:os';
import { createDynamoDBClient, createS3Client } from 'receipt-embedding/aws';
import {
  BatchStorage,
  claimBatch,
  markBatchComplete,
  readBatchSummary,
  updateBatch,
} from 'receipt-embedding/batches';
import { readRequestedEntities } from 'receipt-embedding/openai_batches';
import { readReceiptText } from 'receipt-embedding/table';
import { countOutcome } from '../runtime/batch_metrics.ts';
import { endOnce } from '../runtime/end_batch.ts';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { connectOpenAI, openaiVariables } from '../runtime/openai_access.ts';
import { endWithoutResults, idsOf, releaseBatchInputSchema } from './release_batch.ts';

const environment = parseEnvironment(
  {
    DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME,
    BATCH_BUCKET: variables.BATCH_BUCKET,
    ...openaiVariables,
  },
  process.env,
);
const table = { client: createDynamoDBClient(), name: environment.DYNAMODB_TABLE_NAME };
const storage = new BatchStorage({
  s3: createS3Client(),
  bucket: environment.BATCH_BUCKET,
  temporaryFolder: tmpdir(),
});

/** Ends a batch that has no results, and gives back what it had claimed. @see markBatchComplete */
export const handler = createHandler({
  service: 'release_batch',
  input: releaseBatchInputSchema,
  handle: async (input, { logger, metrics }) => {
    const { batch_id } = input;
    const claim = () => ({ batch_id, owner: input.execution_name, now: new Date() });
    const outcome = await endOnce(batch_id, {
      claim: () => claimBatch(table, claim()),
      read: () => readBatchSummary(table, batch_id),
      end: async (batch) => {
        const ids = await idsOf(batch, {
          plannedIds: () => storage.plannedIds(batch_id),
          requestedIds: () => storage.requestedIds(batch_id),
          recoverIds: async (foreign) => {
            const { texts } = await readRequestedEntities(foreign, input.input_file_id, {
              storage,
              openai: await connectOpenAI(environment),
              readText: (receipt) => readReceiptText(table, receipt, logger),
            });
            await storage.writeRequestedIds(batch_id, [...texts.keys()]);
            await updateBatch(table, claim(), { requested: texts.size });
          },
        });
        return await markBatchComplete(table, claim(), batch, ids, endWithoutResults(input, batch));
      },
    });
    countOutcome(metrics, outcome);
    // OpenAI's reason may quote an input: it is on the batch's record, and in no log.
    logger.info('batch released', { ...outcome, reason: undefined });
    return outcome;
  },
});
