import { tmpdir } from 'node:os';
import { createS3Client } from 'receipt-embedding/aws_clients';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import { OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import { ChromaNeighbours } from 'receipt-embedding/merchants/chroma_neighbours';
import { GooglePlaces } from 'receipt-embedding/merchants/google_places';
import type { MerchantSource } from 'receipt-embedding/merchants/resolve_merchant';
import type { Clock, Logger } from 'receipt-embedding/ports';
import { ChromaDeltaStore } from 'receipt-embedding/stores/deltas/delta_store';
import { findCompactionRuns, recordCompactionRun } from 'receipt-embedding/table/compaction_runs';
import { setEmbeddingStatuses } from 'receipt-embedding/table/embedding_statuses';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { readSecret, requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';
import { processReceipt, processReceiptInputSchema } from './process_receipt.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
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

/**
 * Embeds one receipt. @see processReceipt
 *
 * @example
 * // event
 * {
 *   image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', receipt_id: 1, force: false, execution_name: 'run-1',
 * }
 * // answer
 * {
 *   status: 'success', image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', receipt_id: 1,
 *   lines_count: 20, words_count: 100, invalid_rows: 0, run_id: '8a6e0804-2bd0-5672-b79d-d97027f9071a',
 *   merchant_name: 'Sprouts', merchant_source: 'metadata', reused: false, vectors: 110,
 *   openai_requests: 1, prompt_tokens: 2000, statuses: { changed: 110, unchanged: 0, deleted: 0, edited: 0 },
 * }
 */
export const handler = createHandler(declaration, {
  input: processReceiptInputSchema,
  handle: async (input, { logger, metrics, requestId, identify }) => {
    const openai = createOpenAIClient({
      apiKey: await requireSecret(environment, 'openai'),
      baseURL: environment.OPENAI_BASE_URL,
    });
    const result = await processReceipt(
      input,
      {
        readReceipt: (receipt) => readReceiptContents(table, receipt, logger),
        findRuns: (receipt, idBeginning) => findCompactionRuns(table, receipt, idBeginning),
        recordRun: (run) => recordCompactionRun(table, run),
        markEmbedded: (holders) => setEmbeddingStatuses(table, holders, 'SUCCESS'),
        embedder: new OpenAIEmbedder(openai, model),
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
  const { CHROMA_HTTP_ENDPOINT: endpoint } = environment;
  if (endpoint !== undefined) {
    const server = {
      endpoint,
      tenant: environment.CHROMA_TENANT,
      database: environment.CHROMA_DATABASE,
      token: await readSecret(environment, 'chroma'),
    };
    sources.push(new ChromaNeighbours(server, logger));
  }
  const placesKey = await readSecret(environment, 'google_places');
  if (placesKey !== undefined) {
    sources.push(new GooglePlaces(placesKey, { table, clock, logger }));
  }
  return sources;
}
