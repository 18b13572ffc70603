import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, fakeFetch } from '../../tests/support/fake_fetch.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { GOOGLE } from './vendor_answers/google.ts';
import { requestJson } from './json_request.ts';

const schema = z.object({ id: z.string() });

function ask(answer: Answer, body?: object) {
  const { fetch, requests } = fakeFetch(answer);
  const answered = requestJson(fetch, schema, {
    url: 'https://api.example.com/search?key=SECRET',
    ...(body === undefined ? {} : { body }),
    headers: { 'x-key': 'SECRET' },
    errors: GOOGLE,
    timeout: 1_000,
  });
  return { answered, requests };
}

describe('asking an HTTP API', () => {
  it('is a GET without a body, and a POST of JSON with one', async () => {
    const get = ask({ json: { id: 'a', more: 1 } });
    const post = ask({ json: { id: 'b' } }, { query: 'x' });

    expect(await get.answered).toStrictEqual({ id: 'a' });
    expect(await post.answered).toStrictEqual({ id: 'b' });
    expect(
      [...get.requests, ...post.requests].map(({ method, headers, body }) => [
        method,
        headers.get('x-key'),
        headers.get('content-type'),
        body,
      ]),
    ).toStrictEqual([
      ['GET', 'SECRET', 'application/json', undefined],
      ['POST', 'SECRET', 'application/json', { query: 'x' }],
    ]);
  });

  it.each<[string, Answer, string]>([
    ['400', { status: 400 }, 'InvalidRequest'],
    ['401', { status: 401 }, 'InvalidConfiguration'],
    ['403', { status: 403 }, 'InvalidConfiguration'],
    ['404', { status: 404 }, 'InvalidConfiguration'],
    ['429', { status: 429 }, 'RateLimited'],
    ['500', { status: 500 }, 'UpstreamUnavailable'],
    ['503', { status: 503 }, 'UpstreamUnavailable'],
    ['no connection', { error: new TypeError('fetch failed: SECRET') }, 'UpstreamUnavailable'],
    ['JSON of another shape', { json: { name: 'SECRET' } }, 'UpstreamUnavailable'],
  ])('that answers %s fails by a name of the layer’s, without secrets', async (_, answer, name) => {
    const error = await rejection(ask(answer).answered);

    expect(error.name).toBe(name);
    expect(error.message).toContain('api.example.com');
    expect(error.message).not.toContain('SECRET');
  });

  it('that answers no JSON fails', async () => {
    const fetch = () => Promise.resolve(new Response('<html>'));

    const error = await rejection(
      requestJson(fetch, schema, {
        url: 'https://api.example.com/',
        errors: GOOGLE,
        timeout: 1_000,
      }),
    );

    expect(error.name).toBe('UpstreamUnavailable');
  });

  it('that does not answer in time fails', async () => {
    const fetch: typeof globalThis.fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });

    const error = await rejection(
      requestJson(fetch, schema, { url: 'https://api.example.com/', errors: GOOGLE, timeout: 1 }),
    );

    expect(error.name).toBe('UpstreamUnavailable');
  });
});
