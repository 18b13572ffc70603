import type { Clock } from 'receipt-embedding/ports';
import { listPendingEmbeddingBatches } from 'receipt-embedding/table/batch_listing';
import { parseEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';
import { listBatches, listBatchesInputSchema } from './list_batches.ts';

const environment = parseEnvironment(storeVariables, process.env);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const clock: Clock = () => new Date();

/** Lists the batches of a poll. @see listBatches */
export const handler = createHandler({
  service: 'list_pending_batches',
  input: listBatchesInputSchema,
  handle: async (input, { logger, metrics, requestId }) => {
    const listed = await listBatches(
      input,
      {
        listPending: (most) => listPendingEmbeddingBatches(table, { now: clock(), most, logger }),
        writeManifest: (executionName, batches) =>
          storage.writeManifest('batch_poll', executionName, batches),
        clock,
        metrics,
      },
      requestId,
    );
    logger.info('batches listed', { ...listed });
    return listed;
  },
});
