import type { PartRecord } from 'receipt-embedding/batches/batch_files';
import { logResults } from 'receipt-embedding/batches/log_results';
import { isSameModel } from 'receipt-embedding/embeddings/embedder';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import {
  keepingLease,
  leasedBatch,
  openBatchStorage,
  partInputSchema,
  partWriter,
} from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { identifiedStores, openLog, recordPorts, stackModel } from '../runtime/stores.ts';
import { declaration } from './declaration.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const log = openLog(environment);

/**
 * Writes the vectors of one part of a batch's results to the log, and what each store is to get to a file beside the part. @see logResults
 *
 * What was made with another model than the stack has now goes into the log alone: in the stores it would be compared with vectors that it
 * can't be compared with. Its lines and words are returned to NONE when the batch ends.
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1', execution_id: 'arn:…',
 *   part: { key: 'batches/6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70/results/part-00000.jsonl' },
 * }
 * // answer
 * { vectors: 1000, stores: [{ name: 's3_vectors', identity: 'arn:…' }] }
 */
export const handler = createHandler(declaration, {
  input: partInputSchema,
  handle: async ({ batch_id, batch_type, execution_id: owner, part }, { logger, metrics }) => {
    const claim = () => ({ batch_id, owner, now: new Date() });
    const batch = await leasedBatch(table, claim());
    const rows = await storage.readPart(part.key);
    const current = stackModel(environment);
    const model = {
      model: batch.model ?? current.model,
      dimensions: batch.dimensions ?? current.dimensions,
    };
    const isCurrent = isSameModel(model, current);
    const stores = (await identifiedStores(environment, current)).map(({ identity, store }) => ({
      name: store.name,
      identity,
    }));
    const records = await keepingLease(table, claim(), async () => {
      const logged = await logResults(batch_type, rows, {
        ...recordPorts(table),
        readReceipt: (receipt) => readReceiptContents(table, receipt, logger),
        log,
        stores: isCurrent ? stores.map(({ identity }) => identity) : [],
        writer: partWriter(batch_id, part.key),
        model,
        compactionRuns: environment.BATCH_COMPACTION_RUNS,
        clock: () => new Date(),
        logger,
      });
      metrics.count('VectorsWritten', logged.filter(isVector).length);
      const delivered = isCurrent ? logged : [];
      await storage.writeRecords(part.key, delivered);
      return delivered;
    });
    if (!isCurrent) {
      logger.warn('the batch was made with another model than the stack has now', {
        batch_id,
        made_with: model,
        rows: rows.length,
      });
    }
    const vectors = records.filter(isVector).length;
    logger.info('results logged', { batch_id, part: part.key, rows: rows.length, vectors });
    return { vectors, stores };
  },
});

function isVector({ embedding }: PartRecord): boolean {
  return embedding !== undefined;
}
