import { type RunningServer, serve } from 'embedded-aws/http/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChromaStandIn } from './chroma_stand_in.ts';
import { readWhere } from './where.ts';

// What is asserted here of upserts, filters and errors was answered so by Chroma's server 1.5.9.

let chroma: ChromaStandIn;
let server: RunningServer;
let collection: string;

beforeEach(async () => {
  chroma = new ChromaStandIn();
  server = await serve(chroma.handle, 0);
  collection = '';
  const { body } = await post('', {
    name: 'lines',
    configuration: { hnsw: { space: 'cosine' } },
  });
  collection = String(body['id']);
});

afterEach(() => server.close());

interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(operation: string, body: object): Promise<Answered> {
  const place = 'api/v2/tenants/default_tenant/databases/default_database/collections';
  const path = collection === '' ? place : `${place}/${collection}/${operation}`;
  const answer = await fetch(`${server.url}/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Answered['body'] };
}

const metadataOf = async (id: string) =>
  (await post('get', { ids: [id], include: ['metadatas'] })).body['metadatas'];

describe('a record', () => {
  it('keeps the keys that an upsert does not name, and loses those that are null', async () => {
    const record = { ids: ['a'], embeddings: [[1, 0, 0]], documents: ['MILK'] };
    await post('upsert', { ...record, metadatas: [{ x: 1, y: 's', l: ',A,' }] });
    await post('upsert', { ...record, metadatas: [{ x: 2, y: null, z: null }] });

    expect(await metadataOf('a')).toStrictEqual([{ x: 2, l: ',A,' }]);
  });

  it('of another dimension is refused with all of its request', async () => {
    await post('upsert', { ids: ['a'], embeddings: [[1, 0, 0]] });
    const { status, body } = await post('upsert', {
      ids: ['b', 'c'],
      embeddings: [
        [1, 0, 0],
        [1, 0],
      ],
    });

    expect([status, body]).toStrictEqual([
      400,
      {
        error: 'InvalidArgumentError',
        message: 'Collection expecting embedding with dimension of 3, got 2',
      },
    ]);
    expect(chroma.counts).toStrictEqual(new Map([['lines', 1]]));
  });

  it('is one of 300 in a request, as Chroma Cloud words it', async () => {
    const ids = Array.from({ length: 301 }, (_, at) => `id-${at}`);
    const { status, body } = await post('upsert', { ids, embeddings: ids.map(() => [1]) });

    expect([status, body['message']]).toStrictEqual([
      422,
      "Quota exceeded: 'Number of records' exceeded quota limit for action 'Upsert': current usage of 301 exceeds limit of 300",
    ]);
  });
});

describe('a request', () => {
  it.each([
    ['get', { ids: 7 }, 422],
    ['delete', { ids: [] }, 400],
    ['query', { query_embeddings: [[1, 2]], n_results: 301 }, 422],
    ['upsert', { ids: [''], embeddings: [[1]] }, 400],
    ['upsert', { ids: ['a'], embeddings: [[null]] }, 422],
  ])('%s %j is answered %i', async (operation, body, status) => {
    expect((await post(operation, body)).status).toBe(status);
  });

  it('for a collection that is there already, or is not there, says so', async () => {
    const made = { name: 'lines', configuration: { hnsw: { space: 'cosine' } } };
    const id = collection;
    collection = '';
    expect((await post('', made)).status).toBe(409);
    expect((await post('', { ...made, get_or_create: true })).body['id']).toBe(id);
    collection = 'none';
    expect((await post('get', { ids: ['a'] })).body['error']).toBe('NotFoundError');
  });

  it('needs the token, in either header, where there is one', async () => {
    const guarded = await serve(new ChromaStandIn({ token: 'ck-1' }).handle, 0);
    const statusOf = async (headers: Record<string, string>) =>
      (await fetch(`${guarded.url}/api/v2/pre-flight-checks`, { headers })).status;

    expect([
      await statusOf({}),
      await statusOf({ 'x-chroma-token': 'ck-2' }),
      await statusOf({ 'x-chroma-token': 'ck-1' }),
      await statusOf({ authorization: 'Bearer ck-1' }),
    ]).toStrictEqual([401, 401, 200, 200]);
    await guarded.close();
  });

  it('fails as a fault says', async () => {
    chroma.fault({ on: 'get', status: 429, code: 'RateLimitError', times: 1 });

    expect(await post('get', { ids: [] })).toStrictEqual({
      status: 429,
      body: { error: 'RateLimitError', message: 'Refused with 429.' },
    });
    expect((await post('get', { ids: [] })).status).toBe(200);
  });
});

describe('a filter', () => {
  const milk = { text: 'MILK', line_id: 7, labels: ',DATE,TAX,', taxed: false };

  it.each([
    [undefined, true],
    [{ text: 'MILK' }, true],
    [{ text: { $eq: 'milk' } }, false],
    [{ line_id: 7 }, true],
    [{ line_id: '7' }, false],
    [{ line_id: 7.5 }, true],
    [{ text: { $ne: 'MILK' } }, false],
    [{ absent: { $ne: 'x' } }, true],
    [{ absent: { $nin: ['x'] } }, true],
    [{ absent: 'x' }, false],
    [{ labels: { $in: [',TAX,'] } }, false],
    [{ labels: { $nin: ['', ',DATE,'] } }, true],
    [{ line_id: { $gt: 7 } }, false],
    [{ line_id: { $lte: 7 } }, true],
    [{ $and: [{ text: 'MILK' }, { line_id: 8 }] }, false],
    [{ $and: [] }, true],
    [{ $or: [{ text: 'BREAD' }, { taxed: false }] }, true],
  ])('%j: %s', (where, passes) => {
    expect(readWhere(where)(milk)).toBe(passes);
  });

  it.each([
    [{ text: 'MILK', line_id: 7 }],
    [{}],
    [{ $not: [] }],
    [{ text: { $in: [] } }],
    [{ text: { $like: 'M' } }],
    [{ text: {} }],
  ])('%j is none', (where) => {
    expect(() => readWhere(where)).toThrow('Invalid where clause');
  });
});
