import {
  noteStored,
  writeEmbeddingResultsToDynamo,
} from 'receipt-embedding/batches/ingest_results';
import { ownerOf } from 'receipt-embedding/entities/batch';
import { partName } from 'receipt-embedding/object_keys';
import { mapSettled } from 'receipt-embedding/settled_map';
import { notePartDone } from 'receipt-embedding/table/batch_retries';
import {
  keepingLease,
  leasedBatch,
  loggedPartInputSchema,
  openBatchStorage,
  partWriter,
} from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { recordPorts } from '../runtime/stores.ts';
import { declaration } from './declaration.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/**
 * Records one part of a batch's results, whose vectors are in the log and in every store: the statuses of its lines and words, its result
 * rows, and what the stores have of its receipts. @see writeEmbeddingResultsToDynamo
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'LINE_EMBEDDING', execution_name: 'poll-1', execution_id: 'arn:…',
 *   part: { key: 'batches/6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70/results/part-00000.jsonl' },
 *   logged: { vectors: 1000, stores: [{ name: 'pinecone', identity: '…' }] },
 * }
 * // answer: the number of result rows
 * { written: 1000 }
 */
export const handler = createHandler(declaration, {
  input: loggedPartInputSchema,
  handle: async ({ batch_id, batch_type, execution_id: owner, part, logged }, { logger }) => {
    const claim = () => ({ batch_id, owner, now: new Date() });
    const batch = await leasedBatch(table, claim());
    const records = await storage.readRecords(part.key);
    const refused = await mapSettled(
      logged.stores,
      async (store) => ({ ...store, refused: await storage.readRefused(part.key, store.name) }),
      { atOnce: Math.max(1, logged.stores.length) },
    );
    const written = await keepingLease(table, claim(), async () => {
      // First the records of receipts: a mark that is left costs a realtime run some writing, a status that is wrong costs trust.
      await noteStored(batch_type, records, {
        changeRecord: recordPorts(table).changeRecord,
        refusedBy: new Map(refused.map((store) => [store.identity, store.refused])),
        writer: partWriter(batch_id, part.key),
      });
      return await writeEmbeddingResultsToDynamo(batch_id, ownerOf(batch), records, {
        table,
        refusedBy: new Map(refused.map((store) => [store.name, store.refused])),
      });
    });
    await notePartDone(table, claim(), partName(part.key));
    logger.info('results written', { batch_id, part: part.key, rows: records.length, written });
    return { written };
  },
});
