import { describe, expect, it } from 'vitest';
import { rejection } from '../../../../tests/support/rejection.ts';
import { createPineconeFetch, type PineconeFetchPorts } from './pinecone_requests.ts';

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
    const { request, left } = fetchThrough(['hang', 'hang', 'hang', answer(200)], { timeoutMs: 5 });

    const error = await rejection(request);

    expect(error.name).toBe('UpstreamUnavailable');
    expect(error.cause).toMatchObject({ name: 'TimeoutError' });
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

    expect((await rejection(request)).message).toBe(`Pinecone answered 400: ${message}`);
  });
});
