import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VectorSpool } from 'receipt-embedding/batches/collect_results';
import { downloadOpenaiBatchResult } from 'receipt-embedding/batches/download_results';
import { readRequestedEntities } from 'receipt-embedding/batches/requested_entities';
import { withTemporaryFolder } from 'receipt-embedding/local_files';
import { updateBatch } from 'receipt-embedding/table/batch_summaries';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { claimedBatch } from '../runtime/claimed_batch.ts';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { connectOpenAI, openaiVariables } from '../runtime/openai_access.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';
import { downloadInputSchema, downloadResults } from './download_results.ts';

const environment = parseEnvironment(
  {
    ...storeVariables,
    EMBEDDING_DIMENSIONS: variables.EMBEDDING_DIMENSIONS,
    ...openaiVariables,
  },
  process.env,
);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const dimensions = environment.EMBEDDING_DIMENSIONS;

/** Brings a batch's results into parts. @see downloadResults */
export const handler = createHandler({
  service: 'download_batch_results',
  input: downloadInputSchema,
  handle: async (input, { logger }) => {
    const { batch_id } = input;
    const openai = await connectOpenAI(environment);
    const claim = () => ({ batch_id, owner: input.execution_name, now: new Date() });
    const result = await withTemporaryFolder(tmpdir(), async (folder) => {
      const spool = new VectorSpool(join(folder, 'vectors'), dimensions);
      try {
        return await downloadResults(input, {
          claimed: () => claimedBatch(table, claim()),
          requestedEntities: (batch) =>
            readRequestedEntities(batch, input.input_file_id, {
              storage,
              openai,
              readText: (receipt) => readReceiptText(table, receipt, logger),
            }),
          recordRequested: async (ids) => {
            await storage.writeRequestedIds(batch_id, ids);
            await updateBatch(table, claim(), { requested: ids.length });
          },
          results: (onRejected) =>
            downloadOpenaiBatchResult(openai, input, { dimensions, onRejected }),
          spool,
          writePart: (part, rows) => storage.writePart(batch_id, part, rows),
          logger,
        });
      } finally {
        spool.close();
      }
    });
    logger.info('results downloaded', {
      ...result,
      reason: undefined,
      parts: result.parts.length,
    });
    return result;
  },
});
