import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  OpenAIError,
} from 'openai';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { vectorOf } from '../../../tests/support/embedders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { RateLimited } from '../errors.ts';
import {
  createOpenAIClient,
  OpenAIEmbedder,
  packRequests,
  translateOpenAIError,
} from './openai.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** What embedding ends with when every request is answered 429 with this code; and how often it was asked. */
async function refusedWith(
  code: string,
  headers: Readonly<Record<string, string>> = { 'retry-after-ms': '1' },
) {
  const seen = { requests: 0, authorization: '' };
  server = createServer((request, response) => {
    seen.requests++;
    seen.authorization = request.headers.authorization ?? '';
    response.writeHead(429, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { code, message: 'no', type: code, param: null } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createOpenAIClient({ apiKey: 'sk-1', baseURL: `http://127.0.0.1:${port}/v1` });
  const embedder = new OpenAIEmbedder(client, {
    model: 'text-embedding-3-small',
    dimensions: 2,
  });
  const { name } = await rejection(embedder.embed(['MILK']));
  return { name, ...seen };
}

describe('the client of OpenAI', () => {
  it.each(['http://openai.example/v1', 'http://10.0.0.1/v1', 'ftp://openai.example', 'openai'])(
    'sends no key to %s',
    (baseURL) => {
      expect(() => createOpenAIClient({ apiKey: 'sk-1', baseURL })).toThrow(
        /^OpenAI's base URL (?:must begin with https|is no URL)/,
      );
    },
  );

  it.each(['https://openai.example/v1', 'http://localhost:1/v1', 'http://[::1]:1/v1'])(
    'asks at %s',
    (baseURL) => {
      expect(createOpenAIClient({ apiKey: 'sk-1', baseURL }).baseURL).toBe(baseURL);
    },
  );

  it.each(['', 'sk-1\nsk-2', 'sk-é'])('takes no key that no header can carry: %j', (apiKey) => {
    expect(() => createOpenAIClient({ apiKey, baseURL: undefined })).toThrow(/^OpenAI's API key /);
  });

  it('tries a request that came too fast three times, at its base URL and with its key', async () => {
    expect(await refusedWith('rate_limit_exceeded')).toStrictEqual({
      name: 'RateLimited',
      requests: 3,
      authorization: 'Bearer sk-1',
    });
  });

  it('waits until the limit is reset, where that is all that a 429 says', async () => {
    const waits = vi.spyOn(globalThis, 'setTimeout');
    await refusedWith('rate_limit_exceeded', {
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '13ms',
    });

    expect(waits.mock.calls.filter(([, wait]) => wait === 13)).toHaveLength(2);
    waits.mockRestore();
  });

  it('asks once where there is no quota left: no later try helps', async () => {
    expect(await refusedWith('insufficient_quota')).toStrictEqual({
      name: 'QuotaExhausted',
      requests: 1,
      authorization: 'Bearer sk-1',
    });
  });
});

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
    expect(translated.cause).toBeUndefined();
    expect(translated.message).not.toContain(KEY);
    expect(translated.message).not.toContain('MILK');
  });

  it('says what OpenAI’s support and the reader need: status, code, parameter, request', () => {
    const error = answered(400, { code: 'invalid_value', param: 'dimensions' });

    expect((translateOpenAIError(error) as Error).message).toBe(
      'OpenAI answered 400 invalid_value, request req_1 (parameter dimensions): ' +
        'OpenAI does not take these dimensions; check embedding_model and embedding_dimensions',
    );
  });

  it.each([
    ['a header that can not be', new TypeError(`Headers.append: "Bearer ${KEY}" is invalid`)],
    ['the SDK’s own that is no answer', new OpenAIError(`no key like ${KEY}`)],
    ['no error at all', KEY],
  ])('that is no answer is one of configuration, and quotes nothing: %s', (_, error) => {
    const { name, message } = translateOpenAIError(error);

    expect(name).toBe('InvalidConfiguration');
    expect(message).toMatch(/^the request to OpenAI can not be made/);
    expect(message).not.toContain(KEY);
  });

  it('that is the layer’s own stays as it is', () => {
    const error = new RateLimited('slow down');

    expect(translateOpenAIError(error)).toBe(error);
  });

  it.each([KEY, 'MILK 3.99', 'milk'])('quotes nothing of its fields: %s', (text) => {
    const error = APIError.generate(
      400,
      { error: { message: text, code: text, type: text, param: text } },
      undefined,
      new Headers({ 'x-request-id': text }),
    );

    expect(translateOpenAIError(error).message).toBe(
      'OpenAI answered 400: OpenAI refused the request for a reason that is not known here',
    );
  });
});

interface Request {
  readonly model: string;
  readonly input: readonly string[];
  readonly encoding_format: string;
  readonly dimensions: number;
}

interface Datum {
  readonly index: number;
  readonly embedding: unknown;
}

const DIMENSIONS = 4;

function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

function rightAnswer({ input }: Request): Datum[] {
  return input.map((text, index) => ({ index, embedding: base64(vectorOf(text)) }));
}

/** An embedder whose OpenAI makes `data` of each request, a token a text; with the requests it got. */
function embedderThat(answer: (request: Request) => readonly Datum[]) {
  const requests: Request[] = [];
  const create = (request: Request): Promise<unknown> => {
    requests.push(request);
    return Promise.resolve({
      data: answer(request),
      usage: { prompt_tokens: request.input.length, total_tokens: request.input.length },
    });
  };
  const client = { embeddings: { create } } as unknown as OpenAI;
  const model = { model: 'text-embedding-3-small', dimensions: DIMENSIONS };
  return { embedder: new OpenAIEmbedder(client, model), requests };
}

describe('embedding with OpenAI', () => {
  it('asks once for all, each text once, with model and dimensions, as base64', async () => {
    const { embedder, requests } = embedderThat(rightAnswer);

    const embeddings = await embedder.embed(['MILK', 'TOTAL', 'MILK']);

    expect(requests).toStrictEqual([
      {
        model: 'text-embedding-3-small',
        input: ['MILK', 'TOTAL'],
        encoding_format: 'base64',
        dimensions: 4,
      },
    ]);
    expect(embeddings).toStrictEqual({
      vectors: ['MILK', 'TOTAL', 'MILK'].map((text) => vectorOf(text)),
      prompt_tokens: 2,
      requests: 1,
    });
  });

  it('asks nothing for nothing', async () => {
    const { embedder, requests } = embedderThat(rightAnswer);

    expect(await embedder.embed([])).toStrictEqual({
      vectors: [],
      prompt_tokens: 0,
      requests: 0,
    });
    expect(requests).toStrictEqual([]);
  });

  it('places vectors by their index, whatever the order of the answer', async () => {
    const { embedder } = embedderThat((request) => rightAnswer(request).reverse());

    const { vectors } = await embedder.embed(['a', 'b', 'c']);

    expect(vectors).toStrictEqual(['a', 'b', 'c'].map((text) => vectorOf(text)));
  });

  it('takes as many requests as the limits need for many texts, and adds up their tokens', async () => {
    const { embedder, requests } = embedderThat(rightAnswer);
    const texts = Array.from({ length: 3_000 }, (_, at) => `word ${at}`);

    const { vectors, ...cost } = await embedder.embed(texts);

    expect(requests.map(({ input }) => input.length)).toStrictEqual([2_048, 952]);
    expect(cost).toStrictEqual({ prompt_tokens: 3_000, requests: 2 });
    expect([vectors[0], vectors[2_999]]).toStrictEqual([vectorOf('word 0'), vectorOf('word 2999')]);
  });

  it('reads vectors that a server without base64 gives as numbers', async () => {
    const { embedder } = embedderThat(() => [{ index: 0, embedding: [0.5, -0.25, 0, 1] }]);

    const { vectors } = await embedder.embed(['a']);

    expect(vectors).toStrictEqual([Float32Array.of(0.5, -0.25, 0, 1)]);
  });

  const [a, b] = [base64(vectorOf('a')), base64(vectorOf('b'))];

  it.each<[string, Datum[], string]>([
    ['a vector too few', [{ index: 0, embedding: a }], 'OpenAI answered 1 vectors for 2 inputs'],
    [
      'a vector too many',
      [0, 1, 2].map((index) => ({ index, embedding: a })),
      'OpenAI answered 3 vectors for 2 inputs',
    ],
    ['no vector', [], 'OpenAI answered 0 vectors for 2 inputs'],
    [
      'an index twice',
      [
        { index: 1, embedding: a },
        { index: 1, embedding: b },
      ],
      'OpenAI answered index 1 twice or out of range',
    ],
    [
      'an index past the inputs',
      [
        { index: 0, embedding: a },
        { index: 2, embedding: b },
      ],
      'OpenAI answered index 2 twice or out of range',
    ],
    [
      'a negative index',
      [
        { index: -1, embedding: a },
        { index: 0, embedding: b },
      ],
      'OpenAI answered index -1 twice or out of range',
    ],
    [
      'a dimension too few',
      [
        { index: 0, embedding: a },
        { index: 1, embedding: base64(vectorOf('b', 3)) },
      ],
      'OpenAI answered a vector of 3 dimensions where 4 were asked for',
    ],
    [
      'a dimension too many, as numbers',
      [
        { index: 0, embedding: [0, 0, 0, 0, 0] },
        { index: 1, embedding: b },
      ],
      'OpenAI answered a vector of 5 dimensions where 4 were asked for',
    ],
    [
      'NaN',
      [
        { index: 0, embedding: base64(Float32Array.of(0, Number.NaN, 0, 0)) },
        { index: 1, embedding: b },
      ],
      'OpenAI answered a vector that holds a number that is not finite',
    ],
    [
      'infinity',
      [
        { index: 0, embedding: a },
        { index: 1, embedding: base64(Float32Array.of(0, 0, 0, Number.NEGATIVE_INFINITY)) },
      ],
      'OpenAI answered a vector that holds a number that is not finite',
    ],
    [
      'no embedding',
      [
        { index: 0, embedding: a },
        { index: 1, embedding: undefined },
      ],
      'OpenAI answered a vector as undefined',
    ],
  ])('refuses an answer with %s, and waiting may help', async (_, data, message) => {
    const { embedder } = embedderThat(() => data);

    const error = await rejection(embedder.embed(['a', 'b']));

    expect([error.name, error.message]).toStrictEqual(['UpstreamUnavailable', message]);
  });

  /** As OpenAI answers a request that the account's limits, or its own, are too small for. */
  const tooLarge = (error: object): APIError =>
    APIError.generate(429, { error }, undefined, new Headers());

  it.each<[string, APIError]>([
    [
      'the account, by code',
      tooLarge({ code: 'rate_limit_exceeded', message: 'Request too large for m on TPM' }),
    ],
    ['the account, by type', tooLarge({ type: 'tokens', message: 'Request too large for m' })],
    ['the API', tooLarge({ code: 'max_tokens_per_request', type: 'max_tokens_per_request' })],
    ['a proxy', APIError.generate(413, undefined, 'too large', new Headers())],
  ])('splits a request that is too large for %s, and adds up what it costs', async (_, error) => {
    const { embedder, requests } = embedderThat((request) => {
      if (request.input.length > 2) throw error;
      return rightAnswer(request);
    });

    const embeddings = await embedder.embed(['a', 'b', 'c', 'd', 'e']);

    expect(requests.map(({ input }) => input.join(''))).toStrictEqual([
      ...['abcde', 'abc', 'ab', 'c', 'de'],
    ]);
    expect(embeddings).toStrictEqual({
      vectors: ['a', 'b', 'c', 'd', 'e'].map((text) => vectorOf(text)),
      prompt_tokens: 5,
      requests: 3,
    });
  });

  it('calls a single text that is too large for the account a rate limit', async () => {
    const { embedder, requests } = embedderThat(() => {
      throw tooLarge({ code: 'rate_limit_exceeded', message: 'Request too large for m' });
    });

    expect((await rejection(embedder.embed(['a', 'b', 'c']))).name).toBe('RateLimited');
    expect(requests.map(({ input }) => input.length)).toStrictEqual([3, 2, 1]);
  });

  it('does not split what is merely too fast', async () => {
    const { embedder, requests } = embedderThat(() => {
      throw tooLarge({ code: 'rate_limit_exceeded', message: 'Rate limit reached' });
    });

    expect((await rejection(embedder.embed(['a', 'b', 'c']))).name).toBe('RateLimited');
    expect(requests).toHaveLength(1);
  });

  const embeddingOfA = base64(vectorOf('a'));
  it.each<[string, unknown, number]>([
    ['without its usage', { data: [{ index: 0, embedding: embeddingOfA }] }, 0],
    ['with null for its usage', { data: [{ index: 0, embedding: embeddingOfA }], usage: null }, 0],
    ['without an index', { data: [{ embedding: embeddingOfA }], usage: { prompt_tokens: 3 } }, 3],
    [
      'with numbers as texts',
      { data: [{ index: '0', embedding: embeddingOfA }], usage: { prompt_tokens: '3' } },
      3,
    ],
    ['that is sent as a text', JSON.stringify({ data: [{ embedding: embeddingOfA }] }), 0],
    [
      'behind a byte order mark',
      `\uFEFF${JSON.stringify({ data: [{ embedding: embeddingOfA }] })}`,
      0,
    ],
  ])('reads an answer %s all the same', async (_, answer, prompt_tokens) => {
    const client = { embeddings: { create: () => Promise.resolve(answer) } };
    const model = { model: 'text-embedding-3-small', dimensions: DIMENSIONS };
    const embedder = new OpenAIEmbedder(client as unknown as OpenAI, model);

    expect(await embedder.embed(['a'])).toStrictEqual({
      vectors: [vectorOf('a')],
      prompt_tokens,
      requests: 1,
    });
  });

  it('throws the layer’s errors in place of OpenAI’s', async () => {
    const { embedder } = embedderThat(() => {
      throw APIError.generate(429, { error: {} }, undefined, new Headers());
    });

    expect((await rejection(embedder.embed(['a']))).name).toBe('RateLimited');
  });
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

describe('packing inputs into requests', () => {
  it('makes no request of nothing', () => {
    expect(packRequests([])).toStrictEqual([]);
  });

  it.each([
    [2_048, [2_048]],
    [2_049, [2_048, 1]],
    [4_096, [2_048, 2_048]],
    [4_097, [2_048, 2_048, 1]],
  ])('puts %d short inputs into requests of %j', (count, sizes) => {
    const inputs = Array.from({ length: count }, (_, at) => `word ${at}`);

    expect(packRequests(inputs).map(({ length }) => length)).toStrictEqual(sizes);
  });

  it.each([
    ['at the token limit', ['aaaa', 'bbbb', 'cc'], [['aaaa', 'bbbb', 'cc']]],
    ['one past it', ['aaaa', 'bbbb', 'ccc'], [['aaaa', 'bbbb'], ['ccc']]],
    ['one input at the limit', ['aaaaaaaaaa', 'b'], [['aaaaaaaaaa'], ['b']]],
    ['one input past it', ['a', 'bbbbbbbbbbb', 'c'], [['a'], ['bbbbbbbbbbb'], ['c']]],
    ['characters of several bytes', ['ééé', 'éé', 'x'], [['ééé', 'éé'], ['x']]],
  ])('fills a request of 10 tokens %s', (_, inputs, requests) => {
    expect(packRequests(inputs, { inputs: 100, tokens: 10 })).toStrictEqual(requests);
  });

  it('keeps every input once and in order, and no request past a limit or mergeable with the next', () => {
    const limits = fc.record({
      inputs: fc.integer({ min: 1, max: 6 }),
      tokens: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 15 })), limits, (inputs, limit) => {
        const requests = packRequests(inputs, limit);
        const tokensOf = (request: readonly string[]) =>
          request.reduce((sum, input) => sum + Buffer.byteLength(input), 0);

        expect(requests.flat()).toStrictEqual(inputs);
        for (const [at, request] of requests.entries()) {
          expect(request.length).toBeGreaterThan(0);
          expect(request.length).toBeLessThanOrEqual(limit.inputs);
          if (request.length > 1) expect(tokensOf(request)).toBeLessThanOrEqual(limit.tokens);
          const [next] = requests[at + 1] ?? [];
          if (next === undefined) continue;
          const withNext = tokensOf(request) + Buffer.byteLength(next);

          expect(request.length === limit.inputs || withNext > limit.tokens).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('makes as few requests as any split of the inputs in their order', () => {
    const limit = { inputs: 3, tokens: 10 };
    const fewest = (sizes: readonly number[]): number => {
      const best = [0];
      for (let end = 1; end <= sizes.length; end++) {
        let least = Number.POSITIVE_INFINITY;
        for (let start = Math.max(0, end - limit.inputs); start < end; start++) {
          const tokens = sizes.slice(start, end).reduce((sum, size) => sum + size, 0);
          if (tokens <= limit.tokens || end - start === 1) {
            least = Math.min(least, (best[start] ?? 0) + 1);
          }
        }
        best.push(least);
      }
      return best.at(-1) ?? 0;
    };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 })), (sizes) => {
        const inputs = sizes.map((size) => 'x'.repeat(size));

        expect(packRequests(inputs, limit).length).toBe(fewest(sizes));
      }),
      { numRuns: 300 },
    );
  });
});
