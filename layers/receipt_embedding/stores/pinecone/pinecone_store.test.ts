import { setImmediate } from 'node:timers/promises';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import { PineconeStandIn } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vectorOf } from '../../../../tests/support/embedders.ts';
import { aLine, aWord } from '../../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../../tests/support/rejection.ts';
import { embeddingItems } from '../../embeddings/embedding_items.ts';
import { InvalidConfiguration, UpstreamUnavailable } from '../../errors.ts';
import { listedMetadata } from '../listed_metadata.ts';
import type { VectorRecord } from '../vector_store.ts';
import {
  createPineconeFetch,
  createPineconeStore,
  type PineconeFetchPorts,
  PineconeStore,
  type PineconeStoreOptions,
} from './pinecone_store.ts';

const KEY = 'pc-secret-123';

const DIMENSION = 4;

let stand: PineconeStandIn;

let server: RunningServer;

let waits: number[];

beforeEach(async () => {
  stand = new PineconeStandIn({ indexName: 'receipts', dimension: DIMENSION, apiKey: KEY });
  server = await serve(stand.handle, 0);
  waits = [];
});

afterEach(() => server.close());

function storeOf(changes: Partial<PineconeStoreOptions> = {}, timeoutMs = 60_000) {
  const sleep = (ms: number) => Promise.resolve(waits.push(ms));
  return createPineconeStore({
    apiKey: KEY,
    indexName: 'receipts',
    host: server.url,
    ports: { sleep, random: () => 1, timeoutMs },
    ...changes,
  });
}

/** So many words: 1,000 of them and a vector this short are a request's fill by count. */
function wordsOf(count: number): VectorRecord[] {
  const words = Array.from({ length: count }, (_, i) => aWord({ word_id: i + 1 }));
  return embeddingItems({ lines: [aLine()], words, labels: [] }, undefined, 'batch').words.map(
    ({ id, metadata }, i) => ({
      id,
      metadata,
      vector: Float32Array.of(0.1, -0.2, 0.3, (i + 1) / 7),
    }),
  );
}

/** What the index holds of a record, past the client. */
async function heldOf(namespace: string, id: string): Promise<unknown> {
  const query = new URLSearchParams({ ids: id, namespace });
  const answer = await fetch(`${server.url}/vectors/fetch?${query.toString()}`, {
    headers: { 'api-key': KEY },
  });
  return ((await answer.json()) as { vectors: Record<string, unknown> }).vectors[id];
}

/** An index that counts the upserts to it, of which some fail. */
class CountingIndex {
  begun = 0;
  running = 0;
  most = 0;
  readonly #failing: readonly number[];

  constructor(failing: readonly number[] = []) {
    this.#failing = failing;
  }

  get store(): PineconeStore {
    const unexpected = () => Promise.reject(new Error('nobody asks for it'));
    const client = {
      upsert: () => this.#upsert(),
      deleteMany: unexpected,
      query: unexpected,
      fetch: unexpected,
      describeIndexStats: unexpected,
    };
    return new PineconeStore(() => Promise.resolve({ client, identity: 'index' }));
  }

  async #upsert(): Promise<void> {
    const request = ++this.begun;
    this.most = Math.max(this.most, ++this.running);
    await setImmediate();
    this.running -= 1;
    if (this.#failing.includes(request)) throw new UpstreamUnavailable(`request ${request} failed`);
  }
}

describe('the dimension of the index', () => {
  it('is asked for, and one that is not the model’s is a wrong configuration', async () => {
    await expect(storeOf().checkDimension(DIMENSION)).resolves.toBeUndefined();

    const { name, message } = await rejection(storeOf().checkDimension(1_536));
    expect(name).toBe('InvalidConfiguration');
    expect(message).toContain(
      `Pinecone's index is of ${DIMENSION} dimensions, and the embedding model gives 1536`,
    );
  });
});

describe('vectors upserted to Pinecone', () => {
  it('are there, number for number, under their ids, with their metadata, in their namespace', async () => {
    const { lines } = embeddingItems({ lines: [aLine()], words: [], labels: [] }, 'X', 'batch');
    const records = lines.map(({ id, metadata }) => ({
      id,
      metadata,
      vector: vectorOf('MILK'),
    }));

    expect(await storeOf().upsert('lines', records)).toStrictEqual({ stored: 1, refused: [] });

    const [{ id, vector, metadata } = expect.fail()] = records;
    expect(await heldOf('lines', id)).toStrictEqual({
      id,
      values: [...vector],
      metadata: listedMetadata(metadata),
    });
    expect(stand.counts).toStrictEqual(new Map([['lines', 1]]));
  });

  it('arrive in requests of 1,000, counted', async () => {
    expect(await storeOf().upsert('words', wordsOf(2_500))).toStrictEqual({
      stored: 2_500,
      refused: [],
    });

    const { upserts } = stand;
    expect(upserts.map(({ ids }) => ids).sort((a, b) => a - b)).toStrictEqual([500, 1_000, 1_000]);
    expect(stand.counts).toStrictEqual(new Map([['words', 2_500]]));
    expect(stand.usage).toStrictEqual({ requests: 3, vectors: 2_500 });
  });

  it('are there once, however often they are written', async () => {
    const store = storeOf();
    await store.upsert('words', wordsOf(3));
    await store.upsert('words', wordsOf(3));

    expect(stand.counts).toStrictEqual(new Map([['words', 3]]));
  });

  it('arrive when Pinecone asks to slow down, fails, and loses an answer', async () => {
    stand.fault({ status: 429, retryAfter: 2, times: 1 });
    stand.fault({ status: 503, times: 1 });
    stand.fault({ cut: true, moment: 'after', times: 1 });

    expect(await storeOf().upsert('words', wordsOf(2))).toStrictEqual({ stored: 2, refused: [] });

    expect(stand.upserts.map(({ status }) => status)).toStrictEqual([429, 503, 'cut', 200]);
    expect(waits).toStrictEqual([2_000, 1_000, 2_000]);
    expect(stand.counts).toStrictEqual(new Map([['words', 2]]));
  });

  it('go out in at most 5 requests at once', async () => {
    const index = new CountingIndex();

    await index.store.upsert('words', wordsOf(7_500));

    expect([index.begun, index.most]).toStrictEqual([8, 5]);
  });

  it('end with the first failure: no request is begun after it, none is left running', async () => {
    const index = new CountingIndex([1, 3]);

    const error = await rejection(index.store.upsert('words', wordsOf(7_500)));

    expect(error.message).toBe('request 1 failed');
    expect([index.begun, index.running]).toStrictEqual([5, 0]);
  });
});

describe('records of which Pinecone refuses some', () => {
  const zeros = new Float32Array(DIMENSION);

  it('are stored but for those, each of which is named with the reason and nothing of its text', async () => {
    const words = wordsOf(1_700).map((record, at) => {
      const { metadata } = record;
      if (at === 7) return { ...record, metadata: { ...metadata, text: 'SECRET '.repeat(7_000) } };
      return at === 3 || at === 1_500 ? { ...record, vector: zeros } : record;
    });

    const { stored, refused } = await storeOf().upsert('words', words);

    expect(stored).toBe(1_697);
    expect(stand.counts).toStrictEqual(new Map([['words', 1_697]]));
    const reasons = new Map(refused.map(({ id, reason }) => [id, reason]));
    expect([...reasons.keys()].sort()).toStrictEqual(
      [3, 7, 1_500].map((at) => words[at]?.id).sort(),
    );
    expect(reasons.get(words[7]?.id ?? '')).toMatch(/^its metadata takes \d+ bytes/);
    expect(reasons.get(words[3]?.id ?? '')).toMatch(
      /^Pinecone answered 400, request \d+: a record has metadata/,
    );
    expect(JSON.stringify(refused)).not.toContain('SECRET');
  });

  it('are looked for in halves: a request for each, and no more than it takes', async () => {
    const words = wordsOf(1_000).map((record, at) =>
      at === 0 ? { ...record, vector: zeros } : record,
    );

    await storeOf().upsert('words', words);

    const sizes = stand.upserts.filter(({ status }) => status === 400).map(({ ids }) => ids);
    expect(sizes).toStrictEqual([1_000, 500, 250, 125, 63, 32, 16, 8, 4, 2, 1]);
    expect(stand.upserts).toHaveLength(21);
  });

  it('are not blamed for what is refused of every request', async () => {
    stand.fault({ status: 400, message: 'namespace must be a string' });

    expect((await rejection(storeOf().upsert('words', wordsOf(2)))).name).toBe('InvalidRequest');
    expect(stand.upserts).toHaveLength(1);
  });

  it('may all be refused, without a request', async () => {
    const words = wordsOf(2).map((record) => ({
      ...record,
      metadata: { ...record.metadata, text: 'M'.repeat(41_000) },
    }));

    const { stored, refused } = await storeOf().upsert('words', words);

    expect([stored, refused.length, stand.upserts.length]).toStrictEqual([0, 2, 0]);
  });
});

describe('an upsert that Pinecone does not take', () => {
  it.each([
    ['of another dimension', 'InvalidConfiguration', {}, new Float32Array(3).fill(1)],
    ['with a wrong key', 'InvalidConfiguration', { apiKey: 'pc-secret-124' }, undefined],
    ['at a host that is not there', 'UpstreamUnavailable', { host: '127.0.0.1:1' }, undefined],
  ])('%s fails as %s', async (_, name, changes, vector) => {
    const records = wordsOf(1).map((record) => ({
      ...record,
      vector: vector ?? record.vector,
    }));

    const error = await rejection(storeOf(changes).upsert('words', records));

    expect(error.name).toBe(name);
    expect(error.message).not.toContain('pc-secret');
    expect(stand.counts.size).toBe(0);
  });

  it.each([
    ['throttles', { status: 429 }, 'RateLimited', 6],
    ['fails', { status: 500 }, 'UpstreamUnavailable', 3],
    ['cuts', { cut: true }, 'UpstreamUnavailable', 3],
  ] as const)('as it %s every try fails as what it is', async (_, fault, name, tries) => {
    stand.fault(fault);

    expect((await rejection(storeOf().upsert('words', wordsOf(1)))).name).toBe(name);
    expect(stand.upserts).toHaveLength(tries);
  });

  it('as it hangs is given up', async () => {
    const remove = stand.fault({ hang: true });

    const error = await rejection(storeOf({}, 20).upsert('words', wordsOf(1)));

    expect([error.name, waits.length]).toStrictEqual(['UpstreamUnavailable', 2]);
    remove();
  });

  it.each([
    ['a host that is none', { host: 'https://in dex' }],
    ['an empty key', { apiKey: '' }],
    ['a key with a line break', { apiKey: `${KEY}\n` }],
  ])('for %s fails before any request', (_, changes) => {
    expect(() => storeOf(changes)).toThrow(InvalidConfiguration);
    expect(() => storeOf(changes)).not.toThrow(KEY);
  });
});

describe('an index of which only the name is known', () => {
  const byName = () => storeOf({ host: undefined, controllerUrl: server.url });

  /** The operations asked for, whatever comes of them. */
  function operations(): string[] {
    const names: string[] = [];
    stand.fault({ status: 500, when: ({ operation }) => names.push(operation) === 0 });
    return names;
  }

  it('is looked up once', async () => {
    const names = operations();
    const store = byName();

    await store.upsert('words', wordsOf(2));
    await store.upsert('words', wordsOf(1));

    expect(names).toStrictEqual(['describe_index', 'upsert', 'upsert']);
  });

  it('is not even looked up when there is nothing to write', async () => {
    const names = operations();

    expect(await byName().upsert('words', [])).toStrictEqual({ stored: 0, refused: [] });
    expect(names).toStrictEqual([]);
  });

  it('is not asked for where the host is known', async () => {
    const names = operations();

    await storeOf().upsert('words', wordsOf(1));

    expect(names).toStrictEqual(['upsert']);
  });

  it('is another’s in another store, also by the same name and key', async () => {
    const other = new PineconeStandIn({ indexName: 'receipts', dimension: DIMENSION });
    const otherServer = await serve(other.handle, 0);

    const otherStore = storeOf({ host: undefined, controllerUrl: otherServer.url });
    await Promise.all([
      byName().upsert('words', wordsOf(1)),
      otherStore.upsert('words', wordsOf(2)),
    ]).finally(() => otherServer.close());

    expect([stand.usage.vectors, other.usage.vectors]).toStrictEqual([1, 2]);
  });

  it('is looked up again when that failed', async () => {
    const heal = stand.fault({ status: 503 });
    const store = byName();
    expect((await rejection(store.upsert('words', wordsOf(1)))).name).toBe('UpstreamUnavailable');
    heal();

    expect(await store.upsert('words', wordsOf(1))).toStrictEqual({ stored: 1, refused: [] });
  });

  it('and that nobody knows is a wrong setting', async () => {
    const store = storeOf({ host: undefined, controllerUrl: server.url, indexName: 'recipes' });

    expect((await rejection(store.upsert('words', wordsOf(1)))).name).toBe('InvalidConfiguration');
  });
});

const NOW = new Date('2025-03-01T10:00:00Z');

/** What one try comes to. */
type Try = Response | Error | 'hang';

function answer(status: number, body = '{}', headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers });
}

/** Fetches once, the tries having these ends; one try more than that fails the test. */
function fetchThrough(tries: readonly Try[], changes: Partial<PineconeFetchPorts> = {}) {
  const waits: number[] = [];
  const left = [...tries];
  const fetch = createPineconeFetch({
    fetch: (_, init) => {
      const next = left.shift();
      if (next === undefined) return Promise.reject(new Error('one try too many'));
      if (next instanceof Response) return Promise.resolve(next);
      if (next instanceof Error) return Promise.reject(next);
      return new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => {
          reject(init.signal?.reason as Error);
        });
      });
    },
    clock: () => NOW,
    random: () => 0.5,
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    timeoutMs: 60_000,
    ...changes,
  });
  const request = fetch('https://index/vectors/upsert', { method: 'POST', body: '{}' });
  return { request, waits, left };
}

const cut = new TypeError('fetch failed', { cause: new Error('ECONNRESET') });

const slowDown = (retryAfter?: string) =>
  answer(429, '{}', retryAfter === undefined ? {} : { 'retry-after': retryAfter });

describe('a request to Pinecone that is answered 429', () => {
  it('is tried five times more, each time after a longer random wait', async () => {
    const { request, waits } = fetchThrough([
      ...Array.from({ length: 5 }, () => slowDown()),
      answer(200, '{"upsertedCount":1}'),
    ]);

    expect(await (await request).json()).toStrictEqual({ upsertedCount: 1 });
    expect(waits).toStrictEqual([500, 1_000, 2_000, 4_000, 8_000]);
  });

  it('fails as RateLimited when the sixth try is answered so too', async () => {
    const { request, left } = fetchThrough(Array.from({ length: 7 }, () => slowDown()));

    expect((await rejection(request)).name).toBe('RateLimited');
    expect(left).toHaveLength(1);
  });

  it.each([
    ['seconds', '7', 7_000],
    ['a part of a second', '0.25', 250],
    ['a date', 'Sat, 01 Mar 2025 10:00:09 GMT', 9_000],
    ['a date that is over', 'Sat, 01 Mar 2025 09:59:00 GMT', 0],
    ['nonsense, as if nothing was said', 'soon', 500],
    ['nothing, as if nothing was said', '', 500],
  ])('waits as long as Retry-After says in %s', async (_, retryAfter, wait) => {
    const { request, waits } = fetchThrough([slowDown(retryAfter), answer(200)]);

    await request;
    expect(waits).toStrictEqual([wait]);
  });

  it('is given up at once when it would wait more than a minute in all', async () => {
    const { request, waits, left } = fetchThrough([
      slowDown('40'),
      slowDown('20'),
      slowDown('1'),
      answer(200),
    ]);

    expect((await rejection(request)).name).toBe('RateLimited');
    expect(waits).toStrictEqual([40_000, 20_000]);
    expect(left).toHaveLength(1);
  });

  it('for the plan’s month is not tried again', async () => {
    const body =
      '{"code":8,"message":"You\'ve reached your write unit limit for the current month."}';
    const { request, waits } = fetchThrough([answer(429, body)]);

    expect((await rejection(request)).name).toBe('QuotaExhausted');
    expect(waits).toStrictEqual([]);
  });
});

describe('a request to Pinecone that finds it down', () => {
  it.each([
    ['500', () => answer(500)],
    ['503', () => answer(503)],
    ['408', () => answer(408)],
    ['a cut connection', () => cut],
    ['a success that is no JSON', () => answer(200, '<html>')],
  ])('is tried twice more: %s', async (_, make) => {
    const healed = fetchThrough([make(), make(), answer(200)]);
    expect((await healed.request).status).toBe(200);
    expect(healed.waits).toStrictEqual([500, 1_000]);

    const lasting = fetchThrough([make(), make(), make(), answer(200)]);
    expect((await rejection(lasting.request)).name).toBe('UpstreamUnavailable');
    expect(lasting.left).toHaveLength(1);
  });

  it('waits as long as it is asked to', async () => {
    const { request, waits } = fetchThrough([answer(503, '', { 'retry-after': '3' }), answer(200)]);

    await request;
    expect(waits).toStrictEqual([3_000]);
  });

  it('is given up where every try hangs', async () => {
    const { request, left } = fetchThrough(['hang', 'hang', 'hang', answer(200)], {
      timeoutMs: 5,
    });

    const error = await rejection(request);

    expect(error.name).toBe('UpstreamUnavailable');
    expect(error.cause).toBeUndefined();
    expect(left).toHaveLength(1);
  });

  it('counts its tries apart from those that were throttled', async () => {
    const { request, waits } = fetchThrough([
      slowDown('1'),
      answer(500),
      slowDown('1'),
      cut,
      slowDown('1'),
      answer(200),
    ]);

    expect((await request).status).toBe(200);
    expect(waits).toStrictEqual([1_000, 500, 1_000, 1_000, 1_000]);
  });
});

describe('a request that Pinecone refuses', () => {
  it.each([
    [400, 'InvalidRequest'],
    [401, 'InvalidConfiguration'],
    [402, 'QuotaExhausted'],
    [403, 'InvalidConfiguration'],
    [404, 'InvalidConfiguration'],
    [409, 'InvalidRequest'],
    [413, 'InvalidRequest'],
    [422, 'InvalidRequest'],
  ])('with %s fails once as %s, and quotes nothing', async (status, name) => {
    const body = '{"code":3,"message":"got \'SECRET TEXT\' for field \'text\'"}';
    const { request, waits } = fetchThrough([
      answer(status, body, { 'x-pinecone-request-id': '42' }),
    ]);

    const error = await rejection(request);

    expect([error.name, waits]).toStrictEqual([name, []]);
    expect(error.message).toMatch(new RegExp(`^Pinecone answered ${status}, request 42`));
    expect(error.message).not.toContain('SECRET');
  });

  it('for its dimension says both dimensions', async () => {
    const message = 'Vector dimension 8 does not match the dimension of the index 1536';
    const { request } = fetchThrough([answer(400, JSON.stringify({ code: 3, message }))]);

    const error = await rejection(request);
    expect([error.name, error.message]).toStrictEqual([
      'InvalidConfiguration',
      `Pinecone answered 400 (${message}): the vectors' dimensions are not the index's; check embedding_dimensions`,
    ]);
  });
});
