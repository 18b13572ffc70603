import { serve } from 'embedded-aws/http/server';
import type { Service } from 'embedded-aws/http/service';
import { PineconeStandIn } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownNeighbours, type OwnNeighbours } from './proof.ts';

const apiKey = 'pc-test';

interface AskedOptions {
  readonly most?: number;
  readonly door?: (standIn: PineconeStandIn) => Service;
}

/** An index with the vectors of `namespaces`, behind `door` if there is one. */
async function asked(
  namespaces: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>,
  { most, door = ({ handle }) => handle }: AskedOptions = {},
): Promise<OwnNeighbours & { readonly queries: number }> {
  const standIn = new PineconeStandIn({ indexName: 'receipts', dimension: 2, apiKey });
  let queries = 0;
  const answer = door(standIn);
  const server = await serve((request) => {
    if (request.path === '/query') queries++;
    return answer(request);
  }, 0);
  onTestFinished(() => server.close());
  for (const [namespace, vectors] of Object.entries(namespaces)) {
    await fetch(`${server.url}/vectors/upsert`, {
      method: 'POST',
      headers: { 'api-key': apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({
        namespace,
        vectors: Object.entries(vectors).map(([id, values]) => ({ id, values })),
      }),
    });
  }
  return { ...(await ownNeighbours({ apiKey, host: server.url }, most)), queries };
}

describe('the own nearest neighbours', () => {
  it('are asked for in every namespace, and equal vectors are as near', async () => {
    const found = await asked({
      lines: { a: [1, 0], b: [0, 1] },
      words: { c: [1, 1], d: [1, 1], e: [-1, 0] },
    });
    expect(found).toStrictEqual({ asked: 5, found: 5, queries: 5 });
  });

  it('that are others are not found', async () => {
    const door =
      ({ handle }: PineconeStandIn): Service =>
      async (request) => {
        const body = request.body.toString();
        if (request.path !== '/query') return await handle(request);
        if (body.includes('"id":"b"')) return answer({ matches: [{ id: 'c', score: 0.7 }] });
        if (body.includes('"id":"c"')) return answer({ matches: [] });
        return await handle(request);
      };
    const found = await asked({ lines: { a: [1, 0], b: [0, 1], c: [1, 1] } }, { door });
    expect(found).toStrictEqual({ asked: 3, found: 1, queries: 3 });
  });

  it('of an empty index are none', async () => {
    expect(await asked({})).toStrictEqual({ asked: 0, found: 0, queries: 0 });
  });

  it('of a large index are asked for evenly picked', async () => {
    const some = (from: number) =>
      Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`${from + n}`, [1, from + n]]));
    const found = await asked({ lines: some(0), words: some(5) }, { most: 4 });
    // Of ten every third, in each namespace.
    expect(found).toStrictEqual({ asked: 4, found: 4, queries: 4 });
  });
});

function answer(body: object): Awaited<ReturnType<Service>> {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, namespace: 'lines', usage: { readUnits: 1 } }),
  };
}
