import { ownerOf } from 'receipt-embedding/entities/batch';
import { writeEmbeddingResultsToDynamo } from 'receipt-embedding/batches/ingest_results';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { partName } from 'receipt-embedding/object_keys';
import { notePartDone } from 'receipt-embedding/table/batch_retries';
import {
  keepingLease,
  leasedBatch,
  openBatchStorage,
  partInputSchema,
} from '../runtime/batches.ts';
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
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1', execution_id: 'arn:…',
 *   part: { key: 'batches/6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70/results/part-00000.jsonl' },
 * }
 * // answer: the number of result rows
 * { written: 1000 }
 */
export const handler = createHandler(declaration, {
  input: partInputSchema,
  handle: async ({ batch_id, execution_id: owner, part }, { logger }) => {
    const claim = () => ({ batch_id, owner, now: new Date() });
    const batch = await leasedBatch(table, claim());
    const rows = await storage.readPart(part.key);
    const written = await keepingLease(table, claim(), () =>
      writeEmbeddingResultsToDynamo(batch_id, ownerOf(batch), rows, {
        table,
        // What was embedded is known; labels and merchant are only in the vectors' metadata.
        readReceipt: async (receipt) => ({
          ...(await readReceiptText(table, receipt, logger)),
          labels: [],
          metadata: undefined,
        }),
        logger,
      }),
    );
    await notePartDone(table, claim(), partName(part.key));
    logger.info('results written', { batch_id, part: part.key, rows: rows.length, written });
    return { written };
  },
});
