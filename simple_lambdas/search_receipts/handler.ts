import type { TimeLimits } from 'receipt-embedding/aws_clients';
import { createOpenAIClient, OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import { search } from 'receipt-embedding/search/search';
import { searchInputSchema } from 'receipt-embedding/search/search_input';
import { readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { openDeclaredStores, stackModel } from '../runtime/stores.ts';
import { declaration } from './declaration.ts';

const environment = readEnvironment(declaration);
const model = stackModel(environment);

/** A person waits for the answer: of OpenAI's three tries, each has a quarter of the function's time. */
const OPENAI_LIMITS: TimeLimits = { answer: 7_500, silence: 7_500 };

/**
 * Finds lines or words by a text, by an example, or by their ids. @see search, searchInputSchema
 *
 * The log has counts only: no question, no text, no id of a hit.
 *
 * @example
 * // event
 * { query: 'oat milk', merchant: 'Corner Market', k: 1 }
 * // answer
 * {
 *   store: 's3_vectors', entity: 'lines', complete: true, embedded: { requests: 1, prompt_tokens: 3 },
 *   hits: [{
 *     id: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00001#LINE#00012', score: 0.8351, text: 'OAT MILK 3.99',
 *     merchant_name: 'Corner Market', image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', receipt_id: 1, line_id: 12,
 *     prev_line: 'RYE BREAD 4.50', next_line: 'TOTAL 8.49', x: 0.5, y: 0.41, width: 0.8, height: 0.02,
 *     source: 'openai_line_embedding_batch',
 *   }],
 * }
 */
export const handler = createHandler(declaration, {
  input: searchInputSchema,
  handle: async (input, { logger }) => {
    const output = await search(input, {
      stores: environment.VECTOR_STORES,
      openStore: async (name) => {
        const [store] = await openDeclaredStores({ ...environment, VECTOR_STORES: [name] }, model);
        if (store === undefined) throw new InvalidConfiguration(`the store ${name} is not there`);
        return store;
      },
      openEmbedder: async () => {
        const client = createOpenAIClient({
          apiKey: await requireSecret(environment, 'openai'),
          baseURL: environment.OPENAI_BASE_URL,
          limits: OPENAI_LIMITS,
        });
        return new OpenAIEmbedder(client, model);
      },
    });
    logger.info('searched', {
      store: output.store,
      entity: output.entity,
      complete: output.complete,
      hits: output.hits.length,
      openai_requests: output.embedded.requests,
      prompt_tokens: output.embedded.prompt_tokens,
    });
    return output;
  },
});
