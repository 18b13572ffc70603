import { upsertEmbeddings } from 'receipt-embedding/batches/ingest_results';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import {
  keepingLease,
  leasedBatch,
  loggedPartInputSchema,
  openBatchStorage,
} from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { openDeclaredStores, stackModel } from '../runtime/stores.ts';
import { declaration } from './declaration.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/**
 * Writes the vectors of one part of a batch's results, which are in the log, to the store that the function is for. What the store can't
 * hold is noted beside the part. @see upsertEmbeddings
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1', execution_id: 'arn:…',
 *   part: { key: 'batches/6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70/results/part-00000.jsonl' },
 *   logged: { vectors: 1000, stores: [{ name: 'pinecone', identity: '…' }] },
 * }
 * // answer
 * { vectors: 1000 }
 */
export const handler = createHandler(declaration, {
  input: loggedPartInputSchema,
  handle: async ({ batch_id, batch_type, execution_id: owner, part }, { logger, metrics }) => {
    const claim = () => ({ batch_id, owner, now: new Date() });
    await leasedBatch(table, claim());
    const records = await storage.readRecords(part.key);
    const [store] = await openDeclaredStores(environment, stackModel(environment));
    if (store === undefined) throw new InvalidConfiguration('VECTOR_STORES names no store');
    const vectors = await keepingLease(table, claim(), async () => {
      const { stored, refused } = await upsertEmbeddings(batch_type, records, { store, logger });
      // Written before the results are recorded: that reads there what is FAILED, and why.
      await storage.writeRefused(part.key, store.name, refused);
      return stored;
    });
    metrics.count('VectorsWritten', vectors);
    logger.info('vectors upserted', { batch_id, part: part.key, store: store.name, vectors });
    return { vectors };
  },
});
