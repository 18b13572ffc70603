import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  OpenAIError,
} from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { createOpenAIClient, translateOpenAIError } from './openai_client.ts';
import { OpenAIEmbedder } from './openai_embedder.ts';

describe('openai client', () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** What embedding ends with when every request is answered 429 with this code; and how often it was asked. */
  async function refusedWith(code: string) {
    const seen = { requests: 0, authorization: '' };
    server = createServer(({ headers }, response) => {
      seen.requests++;
      seen.authorization = headers.authorization ?? '';
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after-ms': '1' });
      response.end(JSON.stringify({ error: { code, message: 'no', type: code, param: null } }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = createOpenAIClient({ apiKey: 'sk-1', baseURL: `http://127.0.0.1:${port}/v1` });
    const embedder = new OpenAIEmbedder(client, { model: 'text-embedding-3-small', dimensions: 2 });
    const { name } = await rejection(embedder.embed(['MILK']));
    return { name, ...seen };
  }

  describe('the client of OpenAI', () => {
    it('tries a request that came too fast three times, at its base URL and with its key', async () => {
      expect(await refusedWith('rate_limit_exceeded')).toStrictEqual({
        name: 'RateLimited',
        requests: 3,
        authorization: 'Bearer sk-1',
      });
    });

    it('asks once where there is no quota left: no later try helps', async () => {
      expect(await refusedWith('insufficient_quota')).toStrictEqual({
        name: 'QuotaExhausted',
        requests: 1,
        authorization: 'Bearer sk-1',
      });
    });
  });
});

describe('openai errors', () => {
  const KEY = 'sk-secret-123';

  /** As the SDK makes it of an answer. */
  function answered(status: number, error: Record<string, unknown> = {}): APIError {
    const body = { message: `refused WHOLE MILK for ${KEY}`, type: 'x', ...error };
    return APIError.generate(
      status,
      { error: body },
      undefined,
      new Headers({ 'x-request-id': 'req_1' }),
    );
  }

  describe('an error of OpenAI’s', () => {
    it.each([
      ['400', answered(400), 'InvalidRequest'],
      ['401', answered(401), 'InvalidConfiguration'],
      ['403', answered(403), 'InvalidConfiguration'],
      ['404', answered(404, { code: 'model_not_found' }), 'InvalidConfiguration'],
      ['408', answered(408), 'UpstreamUnavailable'],
      ['409', answered(409), 'UpstreamUnavailable'],
      ['413', answered(413), 'InvalidRequest'],
      ['422', answered(422), 'InvalidRequest'],
      ['429', answered(429, { code: 'rate_limit_exceeded' }), 'RateLimited'],
      ['429 without a code', answered(429), 'RateLimited'],
      ['429 without quota', answered(429, { code: 'insufficient_quota' }), 'QuotaExhausted'],
      ['500', answered(500), 'UpstreamUnavailable'],
      ['503', answered(503), 'UpstreamUnavailable'],
      ['no connection', new APIConnectionError({ message: 'cut' }), 'UpstreamUnavailable'],
      ['a timeout', new APIConnectionTimeoutError(), 'UpstreamUnavailable'],
      ['an abort', new APIUserAbortError(), 'UpstreamUnavailable'],
    ])('%s is one that the state machine can match on', (_, error, name) => {
      const translated = translateOpenAIError(error) as Error;

      expect(translated.name).toBe(name);
      expect(translated.cause).toBe(error);
      expect(translated.message).not.toContain(KEY);
      expect(translated.message).not.toContain('MILK');
    });

    it('says what OpenAI’s support and the reader need: status, code, parameter, request', () => {
      const error = answered(400, { code: 'invalid_value', param: 'dimensions' });

      expect((translateOpenAIError(error) as Error).message).toBe(
        'OpenAI answered 400 invalid_value, request req_1 (parameter dimensions)',
      );
    });

    it.each([
      ['an error of our own making', new TypeError('bug')],
      ['the SDK’s own that is no answer', new OpenAIError('no key')],
      ['no error at all', 'text'],
    ])('that is none stays as it is: %s', (_, error) => {
      expect(translateOpenAIError(error)).toBe(error);
    });
  });
});
