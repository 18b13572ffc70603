import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { OpenAIEmbedder } from './openai_embedder.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** An embedder that speaks to this server over HTTP, without retries. */
async function embedderAgainst(listener: RequestListener): Promise<OpenAIEmbedder> {
  server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: `http://127.0.0.1:${port}/v1`,
    maxRetries: 0,
    timeout: 5_000,
  });
  return new OpenAIEmbedder(client, { model: 'text-embedding-3-small', dimensions: 2 });
}

describe('a connection to OpenAI', () => {
  it('that works gives vectors', async () => {
    const embedder = await embedderAgainst((_, response) => {
      const embedding = Buffer.from(Float32Array.of(1, 0.5).buffer).toString('base64');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ data: [{ index: 0, embedding }], usage: { prompt_tokens: 3 } }),
      );
    });

    expect(await embedder.embed(['MILK'])).toStrictEqual({
      vectors: [Float32Array.of(1, 0.5)],
      prompt_tokens: 3,
      requests: 1,
    });
  });

  it('that is cut before the answer is worth another try', async () => {
    const embedder = await embedderAgainst((request) => {
      request.socket.destroy();
    });

    expect((await rejection(embedder.embed(['MILK']))).name).toBe('UpstreamUnavailable');
  });

  it('that is cut in the middle of the answer is worth another try', async () => {
    const embedder = await embedderAgainst((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"data": [');
      setImmediate(() => request.socket.destroy());
    });

    expect((await rejection(embedder.embed(['MILK']))).name).toBe('UpstreamUnavailable');
  });

  it('that gives something else than JSON is worth another try', async () => {
    const embedder = await embedderAgainst((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>gateway</html>');
    });

    expect((await rejection(embedder.embed(['MILK']))).name).toBe('UpstreamUnavailable');
  });
});
