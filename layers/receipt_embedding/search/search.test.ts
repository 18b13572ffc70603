import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../tests/support/memory_store.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import type { Embedder } from '../embeddings/embedder.ts';
import { InvalidRequest } from '../errors.ts';
import type { StoredMetadata, StoreName } from '../stores/vector_store.ts';
import { search, type SearchOutput } from './search.ts';
import { searchInputSchema, type SearchRequest } from './search_input.ts';

const DIMENSIONS = 256;
const IMAGES = ['3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'a8098c1a-f86e-4da5-8a1c-9a0d4b7ac3f5'];

const lineId = (image: number, line: number): string =>
  `IMAGE#${IMAGES[image] ?? ''}#RECEIPT#00001#LINE#${String(line).padStart(5, '0')}`;
const wordId = (image: number, line: number, word: number): string =>
  `${lineId(image, line)}#WORD#${String(word).padStart(5, '0')}`;

/** Two receipts, of two merchants, in a store; and an embedder that keeps what it was asked. */
class World {
  readonly store = new MemoryStore();
  readonly other = new MemoryStore('pinecone');
  readonly embedded: string[] = [];
  stores: readonly StoreName[] = ['s3_vectors', 'pinecone'];

  constructor() {
    this.#line(0, 1, 'OAT MILK 3.99', 'Corner Market');
    this.#line(0, 2, 'RYE BREAD 4.50', 'Corner Market');
    this.#line(0, 3, 'MILK FOAMER 12.00', 'Corner Market');
    this.#line(1, 1, 'OAT MILK BARISTA 4.19', 'Sprouts');
    this.#line(1, 2, 'TOTAL 4.19', 'Sprouts');
    this.#word(0, 1, 2, 'MILK', { validated_labels: ['PRODUCT_NAME'] });
    this.#word(0, 3, 1, 'MILK', { validated_labels: ['BRAND'], invalid_labels: ['PRODUCT_NAME'] });
    this.#word(1, 1, 2, 'MILK', {});
    this.#word(1, 2, 1, 'TOTAL', { validated_labels: ['TOTAL'] });
  }

  async search(request: SearchRequest): Promise<SearchOutput> {
    const embedder: Embedder = {
      model: 'text-embedding-3-small',
      dimensions: DIMENSIONS,
      embed: (inputs) => {
        this.embedded.push(...inputs);
        const vectors = inputs.map((input) => embedText(input, DIMENSIONS));
        return Promise.resolve({ vectors, requests: 1, prompt_tokens: 7 });
      },
    };
    return await search(searchInputSchema.parse(request), {
      stores: this.stores,
      openStore: (name) => Promise.resolve(name === this.store.name ? this.store : this.other),
      openEmbedder: () => Promise.resolve(embedder),
    });
  }

  async ids(request: SearchRequest): Promise<string[]> {
    return (await this.search(request)).hits.map(({ id }) => id);
  }

  #line(image: number, line: number, text: string, merchant_name: string): void {
    this.store.add('lines', {
      id: lineId(image, line),
      vector: embedText(text, DIMENSIONS),
      metadata: { text, merchant_name, image_id: IMAGES[image] ?? '', receipt_id: 1 },
    });
  }

  #word(image: number, line: number, word: number, text: string, labels: StoredMetadata): void {
    const input = `<TARGET>${text}</TARGET> <POS>middle-left</POS> <CONTEXT>OAT <EDGE></CONTEXT>`;
    this.store.add('words', {
      id: wordId(image, line, word),
      vector: embedText(input, DIMENSIONS),
      metadata: { text, image_id: IMAGES[image] ?? '', receipt_id: 1, ...labels },
    });
  }
}

describe('a search by text', () => {
  it('embeds the question as it is and gives the nearest lines of the first store', async () => {
    const world = new World();
    const { hits, ...rest } = await world.search({ query: 'Oat milk', k: 2 });
    expect(world.embedded).toStrictEqual(['Oat milk']);
    expect(hits.map(({ text }) => text)).toStrictEqual(['OAT MILK 3.99', 'OAT MILK BARISTA 4.19']);
    expect(hits[0]?.score).toBeGreaterThan(hits[1]?.score ?? 1);
    expect(rest).toStrictEqual({
      store: 's3_vectors',
      store_identity: 'the s3_vectors of this test',
      entity: 'lines',
      complete: true,
      embedded: { requests: 1, prompt_tokens: 7 },
    });
  });

  it('embeds a question for words in the form that words have', async () => {
    const world = new World();
    const { hits } = await world.search({ query: 'total', entity: 'words', k: 1 });
    expect(world.embedded).toStrictEqual([
      '<TARGET>total</TARGET> <POS>middle-center</POS> <CONTEXT><EDGE> <EDGE></CONTEXT>',
    ]);
    expect(hits.map(({ text }) => text)).toStrictEqual(['TOTAL']);
  });

  it('finds of one merchant, of one image, of one receipt', async () => {
    const world = new World();
    const [image_id = ''] = IMAGES;
    const ofCorner = [lineId(0, 1), lineId(0, 3), lineId(0, 2)];
    const query = 'oat milk';
    expect(await world.ids({ query, merchant: 'Corner Market' })).toStrictEqual(ofCorner);
    expect(await world.ids({ query, image_id })).toStrictEqual(ofCorner);
    expect(await world.ids({ query, image_id, receipt_id: 1 })).toStrictEqual(ofCorner);
    expect(await world.ids({ query, image_id, receipt_id: 2 })).toStrictEqual([]);
  });

  it('finds words with a label that is valid or invalid, and without one that is valid', async () => {
    const world = new World();
    const words = { query: 'milk', entity: 'words' } as const;
    const label = 'PRODUCT_NAME';
    expect(await world.ids({ ...words, label })).toStrictEqual([wordId(0, 1, 2)]);
    expect(await world.ids({ ...words, label, label_is: 'invalid' })).toStrictEqual([
      wordId(0, 3, 1),
    ]);
    expect(await world.ids({ ...words, not_label: label })).toStrictEqual([
      wordId(0, 3, 1),
      wordId(1, 1, 2),
      wordId(1, 2, 1),
    ]);
  });

  it('finds the best line of each receipt', async () => {
    expect(await new World().ids({ query: 'oat milk', by_receipt: true })).toStrictEqual([
      lineId(0, 1),
      lineId(1, 1),
    ]);
  });

  it('finds nothing below the lowest score', async () => {
    const world = new World();
    const [first, second] = (await world.search({ query: 'oat milk' })).hits;
    const between = ((first?.score ?? 0) + (second?.score ?? 0)) / 2;
    expect(await world.ids({ query: 'oat milk', min_score: between })).toStrictEqual([first?.id]);
  });

  it('names the merchants that have hits when the one asked for has none', async () => {
    const world = new World();
    const { hits, nearest_merchants } = await world.search({ query: 'milk', merchant: 'sprout' });
    expect(hits).toStrictEqual([]);
    expect(nearest_merchants).toStrictEqual(['Sprouts', 'Corner Market']);
  });

  it('names no others when the merchant has hits, but none that is near enough', async () => {
    const found = await new World().search({ query: 'x', merchant: 'Sprouts', min_score: 0.99 });
    expect(found).toStrictEqual({
      store: 's3_vectors',
      store_identity: 'the s3_vectors of this test',
      entity: 'lines',
      complete: true,
      hits: [],
      embedded: { requests: 1, prompt_tokens: 7 },
    });
  });

  it('takes 8,192 tokens and no more', async () => {
    const world = new World();
    // A token each, and more bytes than 8,192.
    const most = ' milk'.repeat(8_192);
    await world.search({ query: most });
    expect(world.embedded).toStrictEqual([most]);
    for (const query of [`${most} milk`, 'x'.repeat(2_000_000)]) {
      const error = await rejection(world.search({ query }));
      expect(error).toBeInstanceOf(InvalidRequest);
      expect(error.message).toBe('the question is too long: OpenAI embeds at most 8,192 tokens');
    }
    expect(world.embedded).toHaveLength(1);
  });
});

describe('a search by example', () => {
  it('asks with the vector itself, embeds nothing, and leaves the example out', async () => {
    const world = new World();
    const { hits, embedded } = await world.search({ like: lineId(0, 1), k: 2 });
    expect(hits.map(({ id }) => id)).toStrictEqual([lineId(1, 1), lineId(0, 3)]);
    expect(embedded).toStrictEqual({ requests: 0, prompt_tokens: 0 });
    expect(world.embedded).toStrictEqual([]);
  });

  it('leaves out its whole receipt', async () => {
    expect(await new World().ids({ like: lineId(0, 1), exclude_receipt: 'self' })).toStrictEqual([
      lineId(1, 1),
      lineId(1, 2),
    ]);
  });

  it('says when the store does not have the example', async () => {
    const error = await rejection(new World().search({ like: lineId(0, 9) }));
    expect(error).toBeInstanceOf(InvalidRequest);
    expect(error.message).toMatch(/^the store does not have a vector of that id among its lines: /);
  });
});

describe('a search by ids', () => {
  it('gives them in their order, each once, without a score, and names those that are not there', async () => {
    const world = new World();
    const ids = [lineId(1, 2), lineId(0, 9), lineId(0, 1), lineId(1, 2)];
    const { hits, ...rest } = await world.search({ ids });
    expect(hits.map(({ id, score }) => [id, score])).toStrictEqual([
      [lineId(1, 2), undefined],
      [lineId(0, 1), undefined],
    ]);
    expect(rest).toStrictEqual({
      store: 's3_vectors',
      store_identity: 'the s3_vectors of this test',
      entity: 'lines',
      complete: false,
      missing: [lineId(0, 9)],
      embedded: { requests: 0, prompt_tokens: 0 },
    });
  });

  it('says when it has none of them', async () => {
    const world = new World();
    const none = await rejection(world.search({ ids: [lineId(0, 8), lineId(0, 9)] }));
    expect(none).toBeInstanceOf(InvalidRequest);
    expect(none.message).toMatch(/does not have a vector of any of these 2 ids among its lines/);
  });
});

describe('the store', () => {
  it('is the one that was named', async () => {
    const world = new World();
    expect(await world.search({ query: 'milk', store: 'pinecone' })).toMatchObject({
      store: 'pinecone',
      hits: [],
    });
    expect(world.store.asked).toStrictEqual([]);
  });

  it('has to be one of the stack', async () => {
    const world = new World();
    const error = await rejection(world.search({ query: 'milk', store: 'chroma' }));
    expect(error).toBeInstanceOf(InvalidRequest);
    expect(error.message).toBe('the stack has no store chroma; it has s3_vectors, pinecone');
  });
});
