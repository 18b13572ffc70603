import { ownerOf } from 'receipt-embedding/entities/batch';
import { writeEmbeddingResultsToDynamo } from 'receipt-embedding/batches/ingest_results';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { claimedBatch } from '../runtime/claimed_batch.ts';
import { parseEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { partInputSchema } from '../runtime/part_input.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';

const environment = parseEnvironment(storeVariables, process.env);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/** Records the results of a part, whose vectors are written by now. @see writeEmbeddingResultsToDynamo */
export const handler = createHandler({
  service: 'write_results_to_dynamo',
  input: partInputSchema,
  handle: async ({ batch_id, execution_name, part }, { logger }) => {
    const batch = await claimedBatch(table, { batch_id, owner: execution_name, now: new Date() });
    const rows = await storage.readPart(part.key);
    const written = await writeEmbeddingResultsToDynamo(batch_id, ownerOf(batch), rows, {
      table,
      // What was embedded is known; labels and merchant are the vectors' alone.
      readReceipt: async (receipt) => ({
        ...(await readReceiptText(table, receipt, logger)),
        labels: [],
        metadata: undefined,
      }),
      logger,
    });
    logger.info('results written', { batch_id, part: part.key, rows: rows.length, written });
    return { written };
  },
});
