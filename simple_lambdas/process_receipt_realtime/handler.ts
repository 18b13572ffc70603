import { tmpdir } from 'node:os';
import { createDynamoDBClient, createS3Client } from 'receipt-embedding/aws_clients';
import { OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import { ChromaNeighbours } from 'receipt-embedding/merchants/chroma_neighbours';
import { GooglePlaces } from 'receipt-embedding/merchants/google_places';
import type { MerchantSource } from 'receipt-embedding/merchants/resolve_merchant';
import type { Clock, Logger } from 'receipt-embedding/ports';
import { ChromaDeltaStore } from 'receipt-embedding/stores/deltas/delta_store';
import { findCompactionRuns, recordCompactionRun } from 'receipt-embedding/table/compaction_runs';
import { setEmbeddingStatuses } from 'receipt-embedding/table/embedding_statuses';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import { parseEnvironment, variables } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { connectOpenAI, openaiVariables } from '../runtime/openai_access.ts';
import { readSecret } from '../runtime/secrets.ts';
import { processReceipt, processReceiptInputSchema } from './process_receipt.ts';

const environment = parseEnvironment(
  {
    DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME,
    CHROMADB_BUCKET: variables.CHROMADB_BUCKET,
    EMBEDDING_MODEL: variables.EMBEDDING_MODEL,
    EMBEDDING_DIMENSIONS: variables.EMBEDDING_DIMENSIONS,
    ...openaiVariables,
    GOOGLE_PLACES_API_KEY: variables.GOOGLE_PLACES_API_KEY,
    GOOGLE_PLACES_API_KEY_SECRET_ARN: variables.GOOGLE_PLACES_API_KEY_SECRET_ARN,
    CHROMA_HTTP_ENDPOINT: variables.CHROMA_HTTP_ENDPOINT,
  },
  process.env,
);
const table = { client: createDynamoDBClient(), name: environment.DYNAMODB_TABLE_NAME };
const deltas = {
  s3: createS3Client(),
  bucket: environment.CHROMADB_BUCKET,
  dimensions: environment.EMBEDDING_DIMENSIONS,
  temporaryFolder: tmpdir(),
};
const model = {
  model: environment.EMBEDDING_MODEL,
  dimensions: environment.EMBEDDING_DIMENSIONS,
};
const clock: Clock = () => new Date();

/** Embeds one receipt. @see processReceipt */
export const handler = createHandler({
  service: 'process_receipt_realtime',
  input: processReceiptInputSchema,
  handle: async (input, { logger, metrics, requestId, identify }) => {
    const result = await processReceipt(
      input,
      {
        readReceipt: (receipt) => readReceiptContents(table, receipt, logger),
        findRuns: (receipt, idBeginning) => findCompactionRuns(table, receipt, idBeginning),
        recordRun: (run) => recordCompactionRun(table, run),
        markEmbedded: (holders) => setEmbeddingStatuses(table, holders, 'SUCCESS'),
        embedder: new OpenAIEmbedder(await connectOpenAI(environment), model),
        vectorsOf: (run) => new ChromaDeltaStore(deltas, run),
        merchantSources: await createMerchantSources(logger),
        clock,
        onRun: (run_id) => {
          identify({ run_id });
        },
        logger,
        metrics,
      },
      requestId,
    );
    logger.info('receipt processed', { ...result, merchant_name: undefined });
    return result;
  },
});

async function createMerchantSources(logger: Logger): Promise<MerchantSource[]> {
  const sources: MerchantSource[] = [];
  if (environment.CHROMA_HTTP_ENDPOINT !== undefined) {
    sources.push(new ChromaNeighbours(environment.CHROMA_HTTP_ENDPOINT));
  }
  const placesKey = await readSecret({
    plain: environment.GOOGLE_PLACES_API_KEY,
    arn: environment.GOOGLE_PLACES_API_KEY_SECRET_ARN,
  });
  if (placesKey !== undefined) {
    sources.push(new GooglePlaces(placesKey, { table, clock, logger }));
  }
  return sources;
}
