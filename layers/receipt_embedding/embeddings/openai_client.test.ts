import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { createOpenAIClient } from './openai_client.ts';
import { OpenAIEmbedder } from './openai_embedder.ts';

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
