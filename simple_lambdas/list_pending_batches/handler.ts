import { listPendingEmbeddingBatches } from 'receipt-embedding/batches';
import { parseEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';
import { listBatches, listBatchesInputSchema } from './list_batches.ts';

const environment = parseEnvironment(storeVariables, process.env);
const table = openTable(environment);
const storage = openBatchStorage(environment);

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
        writeManifest: (executionName, batches) =>
          storage.writeManifest('polls', executionName, batches),
      },
      requestId,
    );
    metrics.count('InvalidRows', listed.invalid_rows);
    logger.info('batches listed', { ...listed });
    return listed;
  },
});
