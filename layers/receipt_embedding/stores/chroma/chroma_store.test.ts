import { type RunningServer, serve } from 'embedded-aws/http/server';
import { ChromaStandIn } from 'vendor-stand-ins/chroma/chroma_stand_in';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeFetch } from '../../../../tests/support/fake_fetch.ts';
import { aLine, aWord } from '../../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../../tests/support/rejection.ts';
import { embeddingItems } from '../../embeddings/embedding_items.ts';
import { InvalidConfiguration } from '../../errors.ts';
import type { VectorRecord, WordMetadata } from '../vector_store.ts';
import { ChromaApi } from './chroma_api.ts';
import { ChromaStore, type ChromaStoreOptions } from './chroma_store.ts';

let stand: ChromaStandIn;
let server: RunningServer;
let waits: number[];

beforeEach(async () => {
  stand = new ChromaStandIn();
  server = await serve(stand.handle, 0);
  waits = [];
});

afterEach(() => server.close());

function storeOf(changes: Partial<ChromaStoreOptions> = {}): ChromaStore {
  const sleep = (ms: number) => Promise.resolve(waits.push(ms));
  return new ChromaStore({ endpoint: server.url, ports: { sleep, random: () => 1 }, ...changes });
}

/** Words; the further on, the further from the first axis. */
function wordsOf(
  count: number,
  changes: (at: number) => Partial<WordMetadata> = () => ({}),
): VectorRecord[] {
  const words = Array.from({ length: count }, (_, i) => aWord({ word_id: i + 1 }));
  return embeddingItems({ lines: [aLine()], words, labels: [] }, 'X', 'batch').words.map(
    ({ id, metadata }, i) => ({
      id,
      metadata: { ...metadata, ...changes(i) },
      vector: Float32Array.of(1, i / count, 0),
    }),
  );
}

const operations = () => stand.requests.map(({ operation }) => operation);

const QUERY = { vector: Float32Array.of(1, 0, 0), k: 3 };

/** What the store sends to a server that answers so; a collection is found first. */
async function sent(endpoint: string, use: (store: ChromaStore) => Promise<unknown>) {
  const { fetch, requests } = fakeFetch(
    { json: { id: 'c1', configuration_json: { hnsw: { space: 'cosine' } } } },
    { json: { max_batch_size: 166 } },
    ...Array.from({ length: 5 }, () => ({ json: {} })),
  );
  await use(storeOf({ endpoint, token: 'ck-1', fetch }));
  return requests;
}

describe('a token', () => {
  const tokens = async (endpoint: string) => {
    const [request] = await sent(endpoint, (store) => store.remove('words', ['a']));
    return [request?.headers.get('x-chroma-token'), request?.headers.get('authorization')];
  };

  it.each(['https://api.trychroma.com', 'https://europe-west1.gcp.trychroma.com:8000/'])(
    'goes to Chroma Cloud in its own header alone: %s',
    async (endpoint) => {
      expect(await tokens(endpoint)).toStrictEqual(['ck-1', null]);
    },
  );

  it.each(['https://chroma.example', 'https://trychroma.com.example'])(
    'goes to a server of one’s own in either header: %s',
    async (endpoint) => {
      expect(await tokens(endpoint)).toStrictEqual(['ck-1', 'Bearer ck-1']);
    },
  );

  it.each([
    ['that can be none', { token: 'ck 1' }],
    ['for an address without https', { endpoint: 'http://chroma.example', token: 'ck-1' }],
  ])('%s is a wrong configuration, before any request', (_, changes) => {
    expect(() => storeOf(changes)).toThrow(InvalidConfiguration);
    expect(() => storeOf(changes)).not.toThrow('ck');
  });
});

describe('a collection', () => {
  it('is made where there is none, for cosines, in the tenant and database that are set', async () => {
    const { fetch, requests } = fakeFetch({ json: { id: 'c1' } }, { json: {} });
    const store = storeOf({
      endpoint: 'https://c.example/',
      tenant: 't-1',
      database: 'd-1',
      fetch,
    });
    await store.remove('lines', ['a']);

    expect(requests.map(({ url, body }) => [url, body])).toStrictEqual([
      [
        'https://c.example/api/v2/tenants/t-1/databases/d-1/collections',
        { name: 'lines', get_or_create: true, configuration: { hnsw: { space: 'cosine' } } },
      ],
      ['https://c.example/api/v2/tenants/t-1/databases/d-1/collections/c1/delete', { ids: ['a'] }],
    ]);
  });

  it('that two make at once is there for both', async () => {
    stand.fault({ on: 'create', status: 409, times: 1 });
    await storeOf().upsert('words', wordsOf(1));

    expect(stand.counts).toStrictEqual(new Map([['words', 1]]));
  });

  it('is opened once, and again where that failed', async () => {
    const heal = stand.fault({ on: 'create', status: 500 });
    const store = storeOf();
    expect((await rejection(store.upsert('words', wordsOf(1)))).name).toBe('UpstreamUnavailable');
    heal();
    await store.upsert('words', wordsOf(1));
    await store.upsert('words', wordsOf(1));

    expect(operations().filter((operation) => operation === 'create')).toHaveLength(4);
  });

  it('that was dropped and made anew is another store', async () => {
    const before = await storeOf().identity();
    stand.drop('words');

    expect(await storeOf().identity()).not.toBe(before);
    expect(before).toMatch(
      /^127\.0\.0\.1:\d+\/default_tenant\/default_database\/[0-9a-f-]{36},[0-9a-f-]{36}$/,
    );
  });

  it('that is dropped while it is open is made anew by the operation after', async () => {
    const store = storeOf();
    await store.upsert('words', wordsOf(1));
    stand.drop('words');

    expect((await rejection(store.upsert('words', wordsOf(2)))).name).toBe('InvalidConfiguration');
    expect(await store.upsert('words', wordsOf(2))).toStrictEqual({ stored: 2, refused: [] });
    expect(operations().filter((operation) => operation === 'pre-flight-checks')).toHaveLength(1);
  });

  it('of which the names are very long still has a short identity', async () => {
    const long = { tenant: 't'.repeat(128), database: 'd'.repeat(128) };
    expect(await storeOf(long).identity()).toMatch(/^[0-9a-f]{64}$/);
  });

  const distanceOf = async (described: object, distance: number) => {
    const answer = { ids: [['a']], distances: [[distance]], metadatas: [[{}]] };
    const { fetch } = fakeFetch({ json: { id: 'c1', ...described } }, { json: answer });
    const { hits } = await storeOf({ fetch }).query('words', QUERY);
    return hits[0]?.score;
  };

  it.each([
    ['cosine', { configuration_json: { hnsw: { space: 'cosine' } } }, 0.25, 0.75],
    ['cosine of Chroma Cloud', { configuration_json: { spann: { space: 'cosine' } } }, 0.25, 0.75],
    ['cosine of 1.0', { configuration_json: { hnsw_configuration: { space: 'cosine' } } }, 1, 0],
    ['cosine in its metadata', { metadata: { 'hnsw:space': 'cosine' } }, 0.25, 0.75],
    ['the dot product', { configuration_json: { hnsw: { space: 'ip' } } }, 0.25, 0.75],
    ['squares, as Chroma’s own default', {}, 0.5, 0.75],
  ])('that measures by %s gives the same scores', async (_, described, distance, score) => {
    expect(await distanceOf(described, distance)).toBe(score);
  });

  it('that measures in no way that we know is a wrong configuration', async () => {
    const described = { configuration_json: { hnsw: { space: 'new' } } };
    expect((await rejection(distanceOf(described, 1))).name).toBe('InvalidConfiguration');
  });
});

describe('records', () => {
  it('are at most 300 in a write, and fewer where the server says so', async () => {
    await storeOf().upsert('words', wordsOf(700));
    const writes = stand.requests.filter(({ operation }) => operation === 'upsert');
    expect(writes.map(({ ids }) => ids.length).sort()).toStrictEqual([100, 300, 300]);

    const requests = await sent('https://c.example', (store) =>
      store.upsert('words', wordsOf(200)),
    );
    const bodies = requests.slice(2).map(({ body }) => body as { ids: string[] });
    expect(bodies.map(({ ids }) => ids.length)).toStrictEqual([166, 34]);
  });

  it('have floats that are floats to Chroma, and texts that its reader takes', async () => {
    let body = '';
    const fetch: typeof globalThis.fetch = (url, init) => {
      if (String(url instanceof Request ? url.url : url).endsWith('/upsert')) {
        body = init?.body as string;
      }
      return Promise.resolve(Response.json({ id: 'c1' }));
    };
    const words = wordsOf(1, () => ({ x: 1, y: 0, text: 'a\ud800', left: '\ud800' }));
    await storeOf({ fetch }).upsert('words', words);

    expect(body).toContain('"x":1.0');
    expect(body).toContain('"y":0.0');
    expect(body).toContain('"line_id":1,');
    expect(JSON.parse(body)).toMatchObject({
      documents: ['a\ufffd'],
      metadatas: [{ text: 'a\ufffd', left: '\ufffd', receipt_id: '1', normalized_url: null }],
    });
  });

  it('of which Chroma Cloud refuses one are all stored except for that one', async () => {
    const words = wordsOf(5);
    const giant = words[3]?.id ?? '';
    const message =
      "Quota exceeded: 'Document size (bytes)' exceeded quota limit for action 'Upsert': current usage of 20000 exceeds limit of 16384 SECRET";
    stand.fault({ on: 'upsert', status: 422, message, when: ({ ids }) => ids.includes(giant) });

    const { stored, refused } = await storeOf().upsert('words', words);

    expect([stored, refused.map(({ id }) => id)]).toStrictEqual([4, [giant]]);
    expect(refused[0]?.reason).toMatch(/larger than the plan of Chroma Cloud takes$/);
    expect(JSON.stringify(refused)).not.toContain('SECRET');
  });

  it('go in halves where a request is too large for the server', async () => {
    stand.fault({ on: 'upsert', status: 413, times: 1 });
    expect(await storeOf().upsert('words', wordsOf(3))).toStrictEqual({ stored: 3, refused: [] });
  });

  it('arrive when Chroma asks to slow down, fails, and loses an answer', async () => {
    stand.fault({ on: 'upsert', status: 429, times: 1 });
    stand.fault({ on: 'upsert', status: 503, times: 1 });
    stand.fault({ on: 'upsert', cut: true, moment: 'after', times: 1 });

    expect(await storeOf().upsert('words', wordsOf(2))).toStrictEqual({ stored: 2, refused: [] });
    expect(waits).toStrictEqual([1_000, 1_000, 2_000]);
    expect(stand.counts).toStrictEqual(new Map([['words', 2]]));
  });
});

describe('an operation', () => {
  it.each([
    [429, undefined, 'RateLimited', 6],
    [500, undefined, 'UpstreamUnavailable', 3],
    [401, 'AuthError', 'InvalidConfiguration', 1],
    [422, 'QuotaError', 'QuotaExhausted', 1],
    [400, 'InvalidArgumentError', 'InvalidRequest', 1],
  ])('that is answered %i %s every time fails', async (status, code, name, tries) => {
    stand.fault({ on: 'query', status, ...(code === undefined ? {} : { code }) });

    expect((await rejection(storeOf().query('words', QUERY))).name).toBe(name);
    expect(operations().filter((operation) => operation === 'query')).toHaveLength(tries);
  });
});

describe('a condition on a label, which Chroma has in a text', () => {
  const labelled = (count: number, labelsOf: (at: number) => readonly string[]) =>
    wordsOf(count, (at) => ({ validated_labels: labelsOf(at) }));
  const filter = [{ field: 'validated_labels', contains: 'TAX' } as const];
  const others = ['DATE', 'TIME', 'TOTAL', 'MERCHANT_NAME', 'ADDRESS_LINE'];

  it('finds the nearest however many others are nearer', async () => {
    const store = storeOf();
    const records = labelled(1_500, (at) => {
      if (at === 700) return ['DATE', 'TAX'];
      if (at === 1_400) return ['TAX'];
      return at % 10 === 0 ? [] : [others[Math.floor(at / 310)] ?? 'OTHER'];
    });
    await store.upsert('words', records);

    const { hits, complete } = await store.query('words', { ...QUERY, filter });

    expect(hits.map(({ id }) => id)).toStrictEqual([records[700]?.id, records[1_400]?.id]);
    expect(complete).toBe(true);
  });

  it('is said not to be complete where too many different texts are in the way', async () => {
    const store = storeOf();
    const records = labelled(1_500, (at) => (at === 1_499 ? ['TAX'] : [`${'L'.repeat(50)}${at}`]));
    await store.upsert('words', records);

    expect(await store.query('words', { ...QUERY, filter })).toStrictEqual({
      hits: [],
      complete: false,
    });
    const queries = operations().filter((operation) => operation === 'query').length;
    expect(queries).toBeLessThanOrEqual(10);
  });

  it('has no hits among lines, without a request', async () => {
    expect(await storeOf().query('lines', { ...QUERY, filter })).toStrictEqual({
      hits: [],
      complete: true,
    });
    expect(operations()).toStrictEqual([]);
  });
});

describe('a server’s API', () => {
  it('says that a collection is not there by Chroma’s own word for it', async () => {
    const api = new ChromaApi({ endpoint: server.url }, 1_000);
    expect(await api.findCollection('lines')).toBeUndefined();
    await api.openCollection('lines');
    expect(await api.findCollection('lines')).toMatchObject({ space: 'cosine' });
  });
});
