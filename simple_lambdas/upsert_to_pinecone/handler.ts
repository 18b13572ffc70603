import { upsertEmbeddingsToPinecone } from 'receipt-embedding/batches/ingest_results';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import { createPineconeStore } from 'receipt-embedding/stores/pinecone/pinecone_store';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import { claimedBatch } from '../runtime/claimed_batch.ts';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { partInputSchema } from '../runtime/part_input.ts';
import { readSecret } from '../runtime/secrets.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';

const environment = parseEnvironment(
  {
    ...storeVariables,
    PINECONE_API_KEY: variables.PINECONE_API_KEY,
    PINECONE_API_KEY_SECRET_ARN: variables.PINECONE_API_KEY_SECRET_ARN,
    PINECONE_INDEX_NAME: variables.PINECONE_INDEX_NAME,
    PINECONE_HOST: variables.PINECONE_HOST,
  },
  process.env,
);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/** Writes the vectors of a part to Pinecone. @see upsertEmbeddingsToPinecone */
export const handler = createHandler({
  service: 'upsert_to_pinecone',
  input: partInputSchema,
  handle: async ({ batch_id, batch_type, execution_name, part }, { logger, metrics }) => {
    await claimedBatch(table, { batch_id, owner: execution_name, now: new Date() });
    const rows = await storage.readPart(part.key);
    const vectors = await upsertEmbeddingsToPinecone(batch_type, rows, {
      readReceipt: (receipt) => readReceiptContents(table, receipt, logger),
      store: await connectPinecone(),
      logger,
    });
    metrics.count('VectorsWritten', vectors);
    logger.info('vectors upserted', { batch_id, part: part.key, vectors });
    return { vectors };
  },
});

async function connectPinecone(): Promise<ReturnType<typeof createPineconeStore>> {
  const apiKey = await readSecret({
    plain: environment.PINECONE_API_KEY,
    arn: environment.PINECONE_API_KEY_SECRET_ARN,
  });
  if (apiKey === undefined) {
    throw new InvalidConfiguration('PINECONE_API_KEY_SECRET_ARN (or PINECONE_API_KEY) is not set');
  }
  return createPineconeStore({
    apiKey,
    indexName: environment.PINECONE_INDEX_NAME,
    host: environment.PINECONE_HOST,
  });
}
