import { type Index, Pinecone, type PineconeRecord } from '@pinecone-database/pinecone';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { PineconeStandIn } from './pinecone_stand_in.ts';

const DIMENSION = 3;

let stand: PineconeStandIn;
let server: RunningServer;
let index: Index;

beforeEach(async () => {
  stand = new PineconeStandIn({ indexName: 'receipts', dimension: DIMENSION });
  server = await serve(stand.handle, 0);
  index = indexOf(server);
});

afterEach(() => server.close());

/** The real client, which tries once, so that every answer is seen. */
function clientOf({ url }: RunningServer, apiKey = 'pc-test'): Pinecone {
  return new Pinecone({ apiKey, controllerHostUrl: url, maxRetries: 0 });
}

function indexOf(running: RunningServer, apiKey?: string): Index {
  return clientOf(running, apiKey).index({ host: running.url });
}

const north = { id: 'north', values: [0, 1, 0], metadata: { text: 'N', n: 1, tags: ['a', 'b'] } };
const east = { id: 'east', values: [2, 0, 0], metadata: { text: 'E', n: 2, hot: true } };
const northEast = { id: 'north-east', values: [1, 1, 0] };
const compass = [north, east, northEast];

function many(count: number): PineconeRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `id-${String(i).padStart(4, '0')}`,
    values: [1, 0, 0.5],
  }));
}

/** A request past the client: what the server says to a body of any kind. */
async function post(path: string, body: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'api-key': 'pc-test' },
    body,
  });
  return { status: answer.status, body: await answer.json() };
}

describe('an index', () => {
  it('holds what was upserted, each namespace for itself', async () => {
    await index.upsert({ records: compass, namespace: 'lines' });
    await index.upsert({ records: [north], namespace: 'words' });

    expect(await index.fetch({ ids: ['east', 'west'], namespace: 'lines' })).toStrictEqual({
      records: { east: { ...east, sparseValues: undefined } },
      namespace: 'lines',
      usage: { readUnits: 1 },
    });
    expect((await index.fetch({ ids: ['east'], namespace: 'words' })).records).toStrictEqual({});
    expect(await index.describeIndexStats()).toStrictEqual({
      namespaces: { lines: { recordCount: 3 }, words: { recordCount: 1 } },
      dimension: DIMENSION,
      indexFullness: 0,
      totalRecordCount: 4,
    });
    expect(stand.usage).toStrictEqual({ requests: 2, vectors: 4 });
  });

  it('has the latest of what was upserted under one id, as float32', async () => {
    await index.upsert({ records: [north] });
    await index.upsert({ records: [{ id: 'north', values: [0, 0.1, 0] }] });

    const { records, namespace } = await index.fetch({ ids: ['north'] });
    expect(namespace).toBe('__default__');
    expect(records['north']).toStrictEqual({
      id: 'north',
      values: [0, Math.fround(0.1), 0],
      sparseValues: undefined,
      metadata: undefined,
    });
    expect(stand.counts).toStrictEqual(new Map([['__default__', 1]]));
  });

  it('finds the nearest by cosine: a vector itself first, whatever its length', async () => {
    await index.upsert({ records: compass });

    const { matches } = await index.query({ vector: [5, 0, 0], topK: 2, includeValues: true });

    expect(matches.map(({ id, score }) => [id, score?.toFixed(6)])).toStrictEqual([
      ['east', '1.000000'],
      ['north-east', '0.707107'],
    ]);
    expect(matches[0]?.values).toStrictEqual([2, 0, 0]);
    expect(matches[0]?.metadata).toBeUndefined();
  });

  it('finds by an id, with metadata, among those that pass a filter', async () => {
    await index.upsert({ records: compass, namespace: 'lines' });
    const found = async (filter: object) => {
      const { matches } = await index.query({
        id: 'north',
        topK: 10,
        filter,
        includeMetadata: true,
        namespace: 'lines',
      });
      return matches.map(({ id, values, metadata }) => ({ id, values, metadata }));
    };

    expect(await found({ n: { $gte: 2 } })).toStrictEqual([
      { id: 'east', values: [], metadata: east.metadata },
    ]);
    expect(await found({ tags: 'b' })).toStrictEqual([
      { id: 'north', values: [], metadata: north.metadata },
    ]);
  });

  it('finds nothing by an id that is not there', async () => {
    await index.upsert({ records: compass });

    expect((await index.query({ id: 'west', topK: 1 })).matches).toStrictEqual([]);
  });

  it('lists ids in order, by prefix and page', async () => {
    await index.upsert({ records: [...many(150), north] });

    const first = await index.listPaginated({ prefix: 'id-' });
    const second = await index.listPaginated({
      prefix: 'id-',
      ...(first.pagination?.next === undefined ? {} : { paginationToken: first.pagination.next }),
    });

    const ids = [first, second].map(({ vectors = [] }) => vectors.map(({ id }) => id));
    expect(ids.map(({ length }) => length)).toStrictEqual([100, 50]);
    expect(ids.flat()).toStrictEqual(many(150).map(({ id }) => id));
    expect(second.pagination).toBeUndefined();
  });

  it('forgets what is deleted: by id, by filter, or all', async () => {
    await index.upsert({ records: compass });

    await index.deleteOne({ id: 'north-east' });
    expect(stand.counts.get('__default__')).toBe(2);
    await index.deleteMany({ filter: { n: 1 } });
    expect((await index.listPaginated()).vectors).toStrictEqual([{ id: 'east' }]);
    await index.deleteAll();
    expect(stand.counts).toStrictEqual(new Map());
  });

  it('is found by its name', async () => {
    const client = clientOf(server);

    expect((await client.indexes.describe('receipts')).host).toBe(server.url);
    expect((await rejection(client.indexes.describe('recipes'))).name).toBe(
      'PineconeNotFoundError',
    );
  });

  it('that keeps no vectors still counts and has the metadata', async () => {
    const light = new PineconeStandIn({
      indexName: 'receipts',
      dimension: DIMENSION,
      keepVectors: false,
    });
    const running = await serve(light.handle, 0);
    const lightIndex = indexOf(running);
    await lightIndex.upsert({ records: compass });

    const { records } = await lightIndex.fetch({ ids: ['north'] });
    const { matches } = await lightIndex.query({ vector: [1, 0, 0], topK: 1 });
    await running.close();

    expect(records['north']).toMatchObject({ values: [], metadata: north.metadata });
    expect(matches).toStrictEqual([]);
    expect(light.counts).toStrictEqual(new Map([['__default__', 3]]));
  });
});

describe('an answer', () => {
  it('takes as long as it is told to; an error comes at once', async () => {
    const sleeps: number[] = [];
    const slow = new PineconeStandIn({
      indexName: 'receipts',
      dimension: DIMENSION,
      latencyMs: 30,
      sleep: (ms) => Promise.resolve(sleeps.push(ms)),
    });
    const running = await serve(slow.handle, 0);

    await indexOf(running).upsert({ records: [north] });
    await rejection(indexOf(running).upsert({ records: [{ id: 'x', values: [1] }] }));
    await running.close();

    expect(sleeps).toStrictEqual([30]);
  });

  it('has a request id of its own', async () => {
    const ids = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const { headers } = await fetch(server.url, { headers: { 'api-key': 'x' } });
        return headers.get('x-pinecone-request-id');
      }),
    );

    expect(new Set(ids)).toStrictEqual(new Set(['1', '2', '3']));
  });
});

describe('a request that Pinecone would refuse', () => {
  const good = { id: 'x', values: [1, 2, 3] };
  const long = 'x'.repeat(41_000);

  it.each([
    ['a wrong dimension', { ...good, values: [1, 2] }, 'Vector dimension 2 does not match the'],
    ['zeros', { ...good, values: [0, 0, 0] }, 'Dense vectors must contain at least one non-zero'],
    ['what is no float32', { ...good, values: [1e39, 2, 3] }, 'values must be finite float32'],
    ['NaN', { ...good, values: [NaN, 2, 3] }, 'values must be a list of numbers'],
    ['an id too long', { ...good, id: 'x'.repeat(513) }, 'Vector ID length is larger than 512'],
    ['an id beyond ASCII', { ...good, id: 'süß' }, 'Vector ID must be ASCII'],
    ['too much metadata', { ...good, metadata: { text: long } }, 'Metadata size is 41011 bytes'],
    [
      'null metadata',
      { ...good, metadata: { text: null } },
      "list of strings, got 'null' for field 'text'",
    ],
    ['a nested object', { ...good, metadata: { box: { x: 1 } } }, "for field 'box'"],
    ['a list of numbers', { ...good, metadata: { ids: [1] } }, "for field 'ids'"],
  ])('for %s is refused so, and writes none of its records', async (_, bad, message) => {
    const records = [good, bad as PineconeRecord];

    const error = await rejection(index.upsert({ records }));

    expect(error.name).toBe('PineconeBadRequestError');
    expect(error.message).toContain(message);
    expect(stand.counts.size).toBe(0);
    expect(stand.usage.requests).toBe(0);
  });

  it('for more than 1,000 records is', async () => {
    await index.upsert({ records: many(1_000) });
    expect((await rejection(index.upsert({ records: many(1_001) }))).message).toContain('1000');
  });

  it('for more than 2 MB is', async () => {
    const bodyOf = (bytes: number) => {
      const body = JSON.stringify({ vectors: [good], namespace: 'lines' });
      return body + ' '.repeat(bytes - body.length);
    };

    expect((await post('/vectors/upsert', bodyOf(2_000_000))).status).toBe(200);
    expect(await post('/vectors/upsert', bodyOf(2_000_001))).toStrictEqual({
      status: 400,
      body: {
        code: 3,
        message: 'Request size 2000001 bytes exceeds the maximum supported size of 2000000 bytes',
        details: [],
      },
    });
  });

  it.each([
    ['/vectors/upsert', '{"vectors":', 'the request body is no JSON'],
    ['/vectors/upsert', '[]', 'the request body is no JSON object'],
    ['/vectors/upsert', '{"vectors":[]}', 'vectors must hold at least one record'],
    ['/vectors/upsert', '{"vectors":[{"id":""}]}', 'Vector ID must not be empty'],
    ['/vectors/delete', '{}', 'ids, a filter or deleteAll must be given'],
    ['/query', '{"topK":10001,"id":"x"}', 'topK must be an integer from 1 to 10000'],
    [
      '/query',
      '{"topK":1,"vector":[1]}',
      'Vector dimension 1 does not match the dimension of the index 3',
    ],
    ['/query', '{"topK":1,"id":"x","filter":{"n":{"$like":1}}}', '$like is no valid operator'],
    [
      '/describe_index_stats',
      '{"filter":{}}',
      'Serverless indexes do not support describing index stats with a filter',
    ],
  ])('%s %s is refused', async (path, body, message) => {
    expect(await post(path, body)).toStrictEqual({
      status: 400,
      body: { code: 3, message, details: [] },
    });
  });

  it('for a path that Pinecone doesn’t have is answered 404', async () => {
    expect((await post('/vectors/forget', '{}')).status).toBe(404);
  });

  it('for its key is, and a good key passes', async () => {
    const strict = new PineconeStandIn({ indexName: 'r', dimension: DIMENSION, apiKey: 'good' });
    const running = await serve(strict.handle, 0);

    const error = await rejection(indexOf(running, 'bad').upsert({ records: [north] }));
    await indexOf(running, 'good').upsert({ records: [north] });
    const keyless = await fetch(`${running.url}/describe_index_stats`, { method: 'POST' });
    await running.close();

    expect([error.name, keyless.status]).toStrictEqual(['PineconeAuthorizationError', 401]);
    expect(strict.usage).toStrictEqual({ requests: 1, vectors: 1 });
  });
});

describe('a fault', () => {
  it('strikes as often as it says, those that it is for', async () => {
    stand.fault({ status: 503, times: 1, when: ({ namespace }) => namespace === 'words' });

    await index.upsert({ records: [north], namespace: 'lines' });
    const error = await rejection(index.upsert({ records: [north], namespace: 'words' }));
    await index.upsert({ records: [north], namespace: 'words' });

    expect(error.name).toBe('PineconeMaxRetriesExceededError');
    expect(stand.upserts.map(({ namespace, status }) => [namespace, status])).toStrictEqual([
      ['lines', 200],
      ['words', 503],
      ['words', 200],
    ]);
  });

  it('429 says when to come back', async () => {
    stand.fault({ status: 429, retryAfter: 3 });

    const answer = await fetch(`${server.url}/vectors/list`, { headers: { 'api-key': 'x' } });

    expect([answer.status, answer.headers.get('retry-after')]).toStrictEqual([429, '3']);
    expect(await answer.json()).toMatchObject({ code: 8 });
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('cuts the connection %s the upsert took effect', async (cut, held) => {
    stand.fault({ cut });

    const error = await rejection(index.upsert({ records: [north] }));

    expect(error.name).toBe('PineconeConnectionError');
    expect([stand.counts.size, stand.usage.requests]).toStrictEqual([held, held]);
    expect(stand.upserts.map(({ status }) => status)).toStrictEqual(['cut']);
  });

  it('hangs until it is removed', async () => {
    const remove = stand.fault({ hang: true });
    const hanging = index.upsert({ records: [north] });
    await vi.waitFor(() => {
      expect(stand.upserts.map(({ status }) => status)).toStrictEqual(['pending']);
    });
    expect(stand.counts.size).toBe(0);

    remove();
    await hanging;

    expect(stand.counts.size).toBe(1);
  });
});

describe('the log of upserts', () => {
  it('has each request’s namespace, ids and bytes as they were sent', async () => {
    await index.upsert({ records: compass, namespace: 'lines' });

    const body = JSON.stringify({ vectors: compass, namespace: 'lines' });
    expect(stand.upserts).toStrictEqual([
      { namespace: 'lines', ids: 3, bytes: body.length, status: 200 },
    ]);
  });
});
