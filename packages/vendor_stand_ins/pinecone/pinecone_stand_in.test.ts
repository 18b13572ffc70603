import { type Index, Pinecone, type PineconeRecord } from '@pinecone-database/pinecone';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nearestVectors } from '../nearest_vectors.ts';
import { readFilter } from './metadata_filter.ts';
import { PineconeStandIn } from './pinecone_stand_in.ts';
import { readRecord, readValues } from './vector_index.ts';

const DIMENSION = 3;

let stand: PineconeStandIn;
let server: RunningServer;
let index: Index;

beforeEach(async () => {
  stand = new PineconeStandIn({ indexName: 'receipts', dimension: DIMENSION, apiKey: 'pc-good' });
  server = await serve(stand.handle, 0);
  index = clientWith('pc-good').index({ host: server.url });
});

afterEach(() => server.close());

/** The real client, which tries once, so that every answer is seen. */
function clientWith(apiKey: string): Pinecone {
  return new Pinecone({ apiKey, controllerHostUrl: server.url, maxRetries: 0 });
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

/** A request past the client: what the server says to any body. */
async function post(path: string, body: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'api-key': 'pc-good' },
    body,
  });
  return { status: answer.status, body: await answer.json() };
}

describe('an index', () => {
  it('holds what was upserted last, as float32, each namespace for itself', async () => {
    await index.upsert({ records: [{ id: 'east', values: [1, 1, 1] }, north], namespace: 'lines' });
    await index.upsert({ records: [{ ...east, values: [0, 0.1, 0] }], namespace: 'lines' });
    await index.upsert({ records: [north] });

    expect(await index.fetch({ ids: ['east', 'west'], namespace: 'lines' })).toStrictEqual({
      records: { east: { ...east, values: [0, Math.fround(0.1), 0], sparseValues: undefined } },
      namespace: 'lines',
      usage: { readUnits: 1 },
    });
    expect(await index.describeIndexStats()).toStrictEqual({
      namespaces: { lines: { recordCount: 2 }, __default__: { recordCount: 1 } },
      dimension: DIMENSION,
      indexFullness: 0,
      totalRecordCount: 3,
    });
    expect(Object.fromEntries(stand.counts)).toStrictEqual({ lines: 2, __default__: 1 });
    expect(stand.usage).toStrictEqual({ requests: 3, vectors: 4 });
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

  it.each([1, 2, 3, 4, 5, 7, 8, 9])('takes in every one of %i dimensions', (dimension) => {
    const values = Array.from({ length: dimension }, (_, n) => n + 1);
    const record = readRecord({ id: 'x', values }, dimension);
    for (const at of values.keys()) {
      const axis = readValues(
        values.map((_, n) => (n === at ? 1 : 0)),
        dimension,
      );
      const [found] = nearestVectors(axis, [record], 1);
      expect(found?.score).toBeCloseTo((at + 1) / Math.hypot(...values), 12);
    }
  });

  it('finds by an id, with metadata, among those that pass a filter', async () => {
    await index.upsert({ records: compass, namespace: 'lines' });
    const query = { topK: 10, includeMetadata: true, namespace: 'lines' };

    const found = await index.query({ ...query, id: 'north', filter: { n: { $gte: 2 } } });
    const none = await index.query({ ...query, id: 'west' });

    expect(found.matches.map(({ id, values, metadata }) => ({ id, values, metadata }))) //
      .toStrictEqual([{ id: 'east', values: [], metadata: east.metadata }]);
    expect(none.matches).toStrictEqual([]);
  });

  it('lists ids in order, by prefix and page', async () => {
    await index.upsert({ records: [...many(150), north] });

    const first = await index.listPaginated({ prefix: 'id-' });
    const second = await index.listPaginated({
      prefix: 'id-',
      paginationToken: first.pagination?.next ?? '',
    });

    const ids = [first, second].map(({ vectors = [] }) => vectors.map(({ id }) => id));
    expect(ids.map(({ length }) => length)).toStrictEqual([100, 50]);
    expect(ids.flat()).toStrictEqual(many(150).map(({ id }) => id));
    expect(second.pagination).toBeUndefined();
  });

  it('forgets what is deleted: by id, or all', async () => {
    await index.upsert({ records: compass });

    await index.deleteMany({ ids: ['north-east', 'north', 'west'] });
    expect((await index.listPaginated()).vectors).toStrictEqual([{ id: 'east' }]);
    await index.deleteAll();
    expect(stand.counts.size).toBe(0);
  });

  it('is found by its name', async () => {
    const client = clientWith('pc-good');

    expect((await client.indexes.describe('receipts')).host).toBe(server.url);
    await expect(client.indexes.describe('recipes')).rejects.toMatchObject({
      name: 'PineconeNotFoundError',
    });
  });

  it('that keeps no vectors still counts, and has the metadata', async () => {
    const options = { indexName: 'receipts', dimension: DIMENSION, keepVectors: false };
    const light = new PineconeStandIn(options);
    const running = await serve(light.handle, 0);
    const lightIndex = clientWith('any').index({ host: running.url });
    await lightIndex.upsert({ records: compass });

    const { records } = await lightIndex.fetch({ ids: ['north'] });
    const { matches } = await lightIndex.query({ vector: [1, 0, 0], topK: 1 });
    await running.close();

    expect(records['north']).toMatchObject({ values: [], metadata: north.metadata });
    expect(matches).toStrictEqual([]);
    expect(light.counts.get('__default__')).toBe(3);
  });
});

describe('a metadata filter', () => {
  const milk = { text: 'MILK', receipt_id: 7, taxed: false, labels: ['DATE', 'TAX'] };

  it.each([
    [undefined, true],
    [{ text: 'MILK' }, true],
    [{ receipt_id: 7, text: 'BREAD' }, false],
    [{ receipt_id: '7' }, false],
    [{ taxed: false }, true],
    [{ absent: 'x' }, false],
    [{ text: { $eq: 'MILK' } }, true],
    [{ text: { $ne: 'MILK' } }, false],
    [{ absent: { $ne: 'x' } }, true],
    [{ receipt_id: { $gt: 7 } }, false],
    [{ receipt_id: { $gte: 7 } }, true],
    [{ receipt_id: { $lt: 7 } }, false],
    [{ receipt_id: { $lte: 7 } }, true],
    [{ receipt_id: { $gt: 6, $lt: 7 } }, false],
    [{ text: { $gt: 1 } }, false],
    [{ text: { $in: ['BREAD', 'MILK'] } }, true],
    [{ text: { $nin: ['MILK'] } }, false],
    [{ labels: 'TAX' }, true],
    [{ labels: { $ne: 'TAX' } }, false],
    [{ labels: { $in: ['TAX', 'TIME'] } }, true],
    [{ labels: { $nin: ['TIME'] } }, true],
    [{ text: { $exists: true } }, true],
    [{ absent: { $exists: false } }, true],
    [{ $and: [{ text: 'MILK' }, { receipt_id: 8 }] }, false],
    [{ $or: [{ text: 'BREAD' }, { receipt_id: 7 }] }, true],
  ])('%j: %s', (filter, passes) => {
    expect(readFilter(filter)(milk)).toBe(passes);
  });

  it.each([
    ['MILK', 'filter must be an object'],
    [{ $not: [] }, '$not is no operator between filters'],
    [{ $or: {} }, '$or takes a list of filters'],
    [{ text: { $like: 'M' } }, '$like is no valid operator'],
    [{ text: { $gt: 'M' } }, '$gt takes a number'],
    [{ text: { $in: 'MILK' } }, '$in takes a list'],
  ])('%j is refused', (filter, message) => {
    expect(() => readFilter(filter)).toThrow(message);
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
    ['null metadata', { ...good, metadata: { text: null } }, "got 'null' for field 'text'"],
    ['a nested object', { ...good, metadata: { box: { x: 1 } } }, "for field 'box'"],
    ['a list of numbers', { ...good, metadata: { ids: [1] } }, "for field 'ids'"],
  ])('for %s writes none of its records', async (_, bad, message) => {
    await expect(index.upsert({ records: [good, bad as PineconeRecord] })).rejects.toMatchObject({
      name: 'PineconeBadRequestError',
      message: expect.stringContaining(message) as string,
    });
    expect([stand.counts.size, stand.usage.requests]).toStrictEqual([0, 0]);
  });

  it('has more than 1,000 records', async () => {
    await index.upsert({ records: many(1_000) });
    await expect(index.upsert({ records: many(1_001) })).rejects.toThrow('1000');
  });

  it('has more than 2 MB', async () => {
    const bodyOf = (bytes: number) => JSON.stringify({ vectors: [good] }).padEnd(bytes);

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
    ['/vectors/upsert', '[]', 'the request body is not a JSON object'],
    ['/vectors/upsert', '{"vectors":[]}', 'vectors must hold at least one record'],
    ['/vectors/upsert', '{"vectors":[{"id":""}]}', 'Vector ID must not be empty'],
    ['/vectors/delete', '{}', 'ids or deleteAll must be given'],
    ['/query', '{"topK":10001,"id":"x"}', 'topK must be an integer from 1 to 10000'],
    ['/query', '{"topK":1,"vector":[1]}', 'Vector dimension 1 does not match the dimension'],
    ['/query', '{"topK":1,"id":"x","filter":{"n":{"$like":1}}}', '$like is no valid operator'],
  ])('%s %s', async (path, body, message) => {
    expect(await post(path, body)).toMatchObject({
      status: 400,
      body: { code: 3, message: expect.stringContaining(message) as string },
    });
  });

  it('has a path that this stand-in doesn’t know', async () => {
    expect((await post('/vectors/update', '{}')).status).toBe(404);
  });

  it('has a wrong key', async () => {
    const stranger = clientWith('pc-bad').index({ host: server.url });

    await expect(stranger.upsert({ records: [north] })).rejects.toMatchObject({
      name: 'PineconeAuthorizationError',
    });
    expect(stand.upserts).toStrictEqual([]);
  });
});

describe('a fault', () => {
  it('strikes those that it is for; the log shows each upsert as it was sent and answered', async () => {
    stand.fault({ on: 'upsert', status: 503, when: ({ namespace }) => namespace === 'words' });

    await index.upsert({ records: compass, namespace: 'lines' });
    await expect(index.upsert({ records: [north], namespace: 'words' })).rejects.toThrow();
    await index.describeIndexStats();

    const bytes = (of: object[], namespace: string) =>
      JSON.stringify({ vectors: of, namespace }).length;
    expect(stand.upserts).toStrictEqual([
      { namespace: 'lines', ids: 3, bytes: bytes(compass, 'lines'), status: 200 },
      { namespace: 'words', ids: 1, bytes: bytes([north], 'words'), status: 503 },
    ]);
  });

  it.each([
    [{ status: 429 }, { code: 8, details: [] }],
    [
      { status: 403, code: 'QUOTA_EXCEEDED', message: 'Full.' },
      { error: { code: 'QUOTA_EXCEEDED', message: 'Full.' }, status: 403 },
    ],
  ])('%j is an error as Pinecone words it', async (fault, body) => {
    stand.fault({ ...fault, retryAfter: 3 });

    const answer = await fetch(`${server.url}/vectors/list`, { headers: { 'api-key': 'pc-good' } });

    expect([answer.status, answer.headers.get('retry-after')]).toStrictEqual([fault.status, '3']);
    expect(await answer.json()).toMatchObject(body);
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('cuts the connection %s the upsert took effect', async (moment, held) => {
    stand.fault({ cut: true, moment });

    await expect(index.upsert({ records: [north] })).rejects.toMatchObject({
      name: 'PineconeConnectionError',
    });

    expect([stand.counts.size, stand.usage.requests]).toStrictEqual([held, held]);
    expect(stand.upserts.map(({ status }) => status)).toStrictEqual(['cut']);
  });

  it('hangs until it is removed', async () => {
    const remove = stand.fault({ hang: true });
    const hanging = index.upsert({ records: [north] });
    await vi.waitFor(() => {
      expect(stand.upserts.map(({ status }) => status)).toStrictEqual(['pending']);
    });
    remove();
    await hanging;

    expect(stand.counts.size).toBe(1);
  });
});
