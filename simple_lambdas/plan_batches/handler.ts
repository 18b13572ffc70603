import { OPENAI_BATCH_LIMITS, planBatches } from 'receipt-embedding/batches/plan_batches';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import type { Logger } from 'receipt-embedding/ports';
import { readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';
import { plan, planInputSchema } from './plan.ts';

const environment = parseEnvironment(
  {
    ...storeVariables,
    BATCH_MAX_TOKENS: variables.BATCH_MAX_TOKENS,
    EMBEDDING_MODEL: variables.EMBEDDING_MODEL,
    EMBEDDING_DIMENSIONS: variables.EMBEDDING_DIMENSIONS,
  },
  process.env,
);
const table = openTable(environment);
const storage = openBatchStorage(environment);
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
        writeManifest: (executionName, batches) =>
          storage.writeManifest('batch_submit', executionName, batches),
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
