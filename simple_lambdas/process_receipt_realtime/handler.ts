import { createOpenAIClient, OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import { ChromaNeighbours } from 'receipt-embedding/merchants/chroma_neighbours';
import { GooglePlaces } from 'receipt-embedding/merchants/google_places';
import { type MerchantSource, resolveMerchant } from 'receipt-embedding/merchants/resolve_merchant';
import type { Clock, Logger } from 'receipt-embedding/ports';
import { setEmbeddingStatuses } from 'receipt-embedding/table/embedding_statuses';
import { readMissingRows } from 'receipt-embedding/table/missing_rows';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { readSecret, requireSecret } from '../runtime/secrets.ts';
import { identifiedStores, openLog, recordPorts, stackModel } from '../runtime/stores.ts';
import { declaration } from './declaration.ts';
import { processReceipt, processReceiptInputSchema } from './process_receipt.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const log = openLog(environment);
const model = stackModel(environment);
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
 *   lines_count: 20, words_count: 100, invalid_rows: 0, removed: 0, run_id: '8a6e0804-2bd0-5672-b79d-d97027f9071a',
 *   merchant_name: 'Sprouts', merchant_source: 'metadata', reused: false, vectors: 110, upserted: 110,
 *   openai_requests: 1, prompt_tokens: 2000, statuses: { changed: 110, unchanged: 0, deleted: 0, edited: 0 },
 *   refused: 0, refusals: [],
 * }
 */
export const handler = createHandler(declaration, {
  input: processReceiptInputSchema,
  handle: async (input, { logger, metrics, requestId, identify }) => {
    const openai = createOpenAIClient({
      apiKey: await requireSecret(environment, 'openai'),
      baseURL: environment.OPENAI_BASE_URL,
    });
    const { image_id, receipt_id } = input;
    const receipt = { image_id, receipt_id };
    const sources = await createMerchantSources(logger);
    const result = await processReceipt(
      input,
      {
        ...recordPorts(table),
        log,
        stores: await identifiedStores(environment, model),
        readReceipt: () => readReceiptContents(table, receipt, logger),
        readMissing: (ids) => readMissingRows(table, ids),
        mark: (holders, status) => setEmbeddingStatuses(table, holders, status),
        embedder: new OpenAIEmbedder(openai, model),
        resolveMerchant: (contents, embedder) =>
          resolveMerchant(receipt, contents, contents.metadata, embedder, {
            sources,
            logger,
            metrics,
          }),
        writer: requestId,
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
