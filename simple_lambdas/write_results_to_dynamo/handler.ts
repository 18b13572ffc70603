import { ownerOf } from 'receipt-embedding/batches/claim_planned';
import { writeEmbeddingResultsToDynamo } from 'receipt-embedding/batches/ingest_results';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { leasedBatch, openBatchStorage, partInputSchema } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/**
 * Records one part of a batch's results, whose vectors have been written. @see writeEmbeddingResultsToDynamo
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1',
 *   part: { key: 'batches/6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70/results/part-00000.jsonl' },
 * }
 * // answer: the number of result rows
 * { written: 1000 }
 */
export const handler = createHandler(declaration, {
  input: partInputSchema,
  handle: async ({ batch_id, execution_name, part }, { logger }) => {
    const batch = await leasedBatch(table, { batch_id, owner: execution_name, now: new Date() });
    const rows = await storage.readPart(part.key);
    const written = await writeEmbeddingResultsToDynamo(batch_id, ownerOf(batch), rows, {
      table,
      // What was embedded is known; labels and merchant are only in the vectors' metadata.
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
