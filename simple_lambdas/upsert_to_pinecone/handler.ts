import { upsertEmbeddingsToPinecone } from 'receipt-embedding/batches/ingest_results';
import { createPineconeStore } from 'receipt-embedding/stores/pinecone/pinecone_store';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import {
  keepingLease,
  leasedBatch,
  openBatchStorage,
  partInputSchema,
} from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/**
 * Writes the vectors of one part of a batch's results to Pinecone. A record that Pinecone can't hold is noted in the part. @see upsertEmbeddingsToPinecone
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1', execution_id: 'arn:…',
 *   part: { key: 'batches/6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70/results/part-00000.jsonl' },
 * }
 * // answer
 * { vectors: 1000 }
 */
export const handler = createHandler(declaration, {
  input: partInputSchema,
  handle: async ({ batch_id, batch_type, execution_id: owner, part }, { logger, metrics }) => {
    const claim = () => ({ batch_id, owner, now: new Date() });
    await leasedBatch(table, claim());
    const rows = await storage.readPart(part.key);
    const store = createPineconeStore({
      apiKey: await requireSecret(environment, 'pinecone'),
      indexName: environment.PINECONE_INDEX_NAME,
      host: environment.PINECONE_HOST,
    });
    const vectors = await keepingLease(table, claim(), async () => {
      const { vectors, changed } = await upsertEmbeddingsToPinecone(batch_type, rows, {
        readReceipt: (receipt) => readReceiptContents(table, receipt, logger),
        store,
        logger,
      });
      // Written before the results are recorded: that reads from the part what is FAILED, and why.
      if (changed !== undefined) await storage.rewritePart(part.key, changed);
      return vectors;
    });
    metrics.count('VectorsWritten', vectors);
    logger.info('vectors upserted', { batch_id, part: part.key, vectors });
    return { vectors };
  },
});
