import { type RunningServer, serve } from 'embedded-aws/http/server';
import * as fc from 'fast-check';
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { embeddingModels } from './embedding_models.ts';
import { OpenAIStandIn } from './openai_stand_in.ts';
import type { LoggedRequest } from './request_log.ts';

let stand: OpenAIStandIn;
let server: RunningServer;
let client: OpenAI;

beforeEach(async () => {
  stand = new OpenAIStandIn({ latencyMs: 0 });
  server = await serve(stand.handle, 0);
  client = clientOf(server);
});

afterEach(() => server.close());

function clientOf({ url }: RunningServer, apiKey = 'sk-test'): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
}

const model = 'text-embedding-3-small';

async function vectorsOf(input: string[], dimensions = 64): Promise<Map<number, number[]>> {
  const { data } = await client.embeddings.create({
    model,
    input,
    dimensions,
    encoding_format: 'float',
  });
  return new Map(data.map(({ index, embedding }) => [index, embedding]));
}

/** A request past the client: what the server says to a body of any kind. */
async function post(
  body: unknown,
  headers: Record<string, string> = { authorization: 'Bearer sk-test' },
): Promise<{ status: number; error: unknown }> {
  const response = await fetch(`${server.url}/v1/embeddings`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = (await response.json()) as { error?: unknown };
  return { status: response.status, error: answer.error };
}

async function refusal(request: Promise<unknown>): Promise<APIError> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof APIError) return error;
  throw new Error('the request was not refused');
}

describe('POST /v1/embeddings', () => {
  it('answers as OpenAI does: one vector an input, in order, with usage and headers', async () => {
    const { data, response } = await client.embeddings
      .create({ model, input: ['milk', 'bread'], encoding_format: 'float' })
      .withResponse();
    expect(data.object).toBe('list');
    expect(data.model).toBe(model);
    expect(data.usage).toStrictEqual({ prompt_tokens: 3, total_tokens: 3 });
    expect(data.data.map(({ object, index, embedding }) => [object, index, embedding.length])) //
      .toStrictEqual([
        ['embedding', 0, 1536],
        ['embedding', 1, 1536],
      ]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': expect.stringMatching(/^req_[0-9a-f]{32}$/) as string,
      'openai-model': model,
      'x-ratelimit-limit-requests': '5000',
      'x-ratelimit-limit-tokens': '1000000',
      'x-ratelimit-remaining-requests': '4999',
      'x-ratelimit-remaining-tokens': '999997',
      'x-ratelimit-reset-requests': '12ms',
      'x-ratelimit-reset-tokens': '1ms',
    });
  });

  it('gives every answer a request id of its own', async () => {
    const ids = new Set<string | null>();
    for (let i = 0; i < 3; i++) {
      const { request_id: id } = await client.embeddings
        .create({ model, input: 'milk' })
        .withResponse();
      ids.add(id);
    }
    expect(ids.size).toBe(3);
    expect(ids).not.toContain(null);
  });

  it('takes a single string', async () => {
    const { data } = await client.embeddings.create({ model, input: 'milk' });
    expect(data).toHaveLength(1);
  });

  it('gives the same vectors in base64, which the client decodes by itself, as in floats', async () => {
    const body = { model, input: ['milk', 'bread'], dimensions: 256 };
    const floats = await client.embeddings.create({ ...body, encoding_format: 'float' });
    const decoded = await client.embeddings.create(body);
    expect(stand.requests.map(({ encodingFormat }) => encodingFormat)).toStrictEqual([
      'float',
      'base64',
    ]);
    expect(decoded.data.map(({ embedding }) => embedding)).toStrictEqual(
      floats.data.map(({ embedding }) => Array.from(new Float32Array(embedding))),
    );
  });

  it('encodes base64 as little-endian float32', async () => {
    const body = { model, input: 'milk', dimensions: 3 };
    const floats = await client.embeddings.create({ ...body, encoding_format: 'float' });
    const raw = await client.embeddings.create({ ...body, encoding_format: 'base64' });
    const bytes = Buffer.from(raw.data[0]?.embedding ?? '', 'base64');
    expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toStrictEqual(
      floats.data[0]?.embedding.map(Math.fround),
    );
  });

  it.each(embeddingModels)('gives $id its own length by default', async ({ id, maxDimensions }) => {
    const { data } = await client.embeddings.create({ model: id, input: 'milk' });
    expect(data[0]?.embedding).toHaveLength(maxDimensions);
  });

  it('permutes the vectors with the inputs', async () => {
    const inputs = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), {
      minLength: 2,
      maxLength: 12,
    });
    const permuted = inputs.chain((texts) =>
      fc.tuple(
        fc.constant(texts),
        fc.shuffledSubarray(texts, { minLength: texts.length, maxLength: texts.length }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(permuted, async ([texts, shuffled]) => {
        const before = await vectorsOf(texts);
        const after = await vectorsOf(shuffled);
        expect(shuffled.map((_, i) => after.get(i))).toStrictEqual(
          shuffled.map((text) => before.get(texts.indexOf(text))),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('takes as long as it is told to before it answers, and refuses at once', async () => {
    const waits: number[] = [];
    const slow = new OpenAIStandIn({
      latencyMs: 1234,
      sleep: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
    });
    const slowServer = await serve(slow.handle, 0);
    try {
      await clientOf(slowServer).embeddings.create({ model, input: 'milk' });
      await refusal(clientOf(slowServer).embeddings.create({ model, input: '' }));
    } finally {
      await slowServer.close();
    }
    expect(waits).toStrictEqual([1234]);
  });
});

describe('the limits', () => {
  const valid = { model, input: 'milk' };
  const invalid = (message: string, param: string | null = null, code: string | null = null) => ({
    message,
    type: 'invalid_request_error',
    param,
    code,
  });
  const invalidInput = `'$.input' is invalid. Please check the API reference.`;

  it.each([
    [
      'no input',
      { model },
      invalid(`Missing required parameter: 'input'.`, 'input', 'missing_required_parameter'),
    ],
    [
      'an empty list',
      { model, input: [] },
      invalid(`Invalid 'input': input cannot be an empty array.`, 'input'),
    ],
    [
      'an empty text',
      { model, input: '' },
      invalid(`Invalid 'input': input cannot be an empty string.`, 'input'),
    ],
    [
      'an empty text in a list',
      { model, input: ['milk', ''] },
      invalid(`Invalid 'input[1]': input cannot be an empty string.`, 'input'),
    ],
    ['null for input', { model, input: null }, invalid(invalidInput, 'input')],
    [
      'something in the list that is no text',
      { model, input: ['milk', 1] },
      invalid(invalidInput, 'input'),
    ],
    ['no model', { input: 'milk' }, invalid('you must provide a model parameter')],
    [
      'no dimensions at all',
      { ...valid, dimensions: 0 },
      invalid(
        `Invalid value for 'dimensions' = 0. Must be greater than or equal to 1.`,
        'dimensions',
      ),
    ],
    [
      'more dimensions than text-embedding-3-small has',
      { ...valid, dimensions: 1537 },
      invalid(
        `Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536.`,
        'dimensions',
      ),
    ],
    [
      'more dimensions than text-embedding-3-large has',
      { ...valid, model: 'text-embedding-3-large', dimensions: 3073 },
      invalid(
        `Invalid value for 'dimensions' = 3073. Must be less than or equal to 3072.`,
        'dimensions',
      ),
    ],
    [
      'any dimensions for text-embedding-ada-002',
      { ...valid, model: 'text-embedding-ada-002', dimensions: 1536 },
      invalid('This model does not support specifying dimensions.', 'dimensions'),
    ],
    [
      'half a dimension',
      { ...valid, dimensions: 1.5 },
      invalid(`Invalid type for 'dimensions': expected an integer.`, 'dimensions', 'invalid_type'),
    ],
    [
      'an unknown encoding',
      { ...valid, encoding_format: 'hex' },
      invalid(
        `Invalid value for 'encoding_format': expected one of 'float' or 'base64'.`,
        'encoding_format',
      ),
    ],
  ])('refuse %s', async (_, body, error) => {
    expect(await post(body)).toStrictEqual({ status: 400, error });
  });

  it.each(['', 'not json', '[]', 'null', '"text"'])('refuse the body %j', async (body) => {
    const { status, error } = await post(body);
    expect(status).toBe(400);
    expect(error).toStrictEqual(
      invalid(
        'We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.',
      ),
    );
  });

  it('know no other model', async () => {
    const error = await refusal(
      client.embeddings.create({ model: 'no-such-model', input: 'milk' }),
    );
    expect([error.status, error.type, error.code]).toStrictEqual([
      404,
      'invalid_request_error',
      'model_not_found',
    ]);
  });

  it('are 2,048 inputs', async () => {
    const inputs = Array.from({ length: 2048 }, (_, i) => `item ${i}`);
    expect((await vectorsOf(inputs, 2)).size).toBe(2048);
    const error = await refusal(vectorsOf([...inputs, 'one more'], 2));
    expect([error.status, error.param]).toStrictEqual([400, 'input']);
    expect(error.message).toContain('array length must be 2048 or less');
  });

  it('are 8,192 tokens in one input', async () => {
    expect((await vectorsOf([' word'.repeat(8192)], 2)).size).toBe(1);
    const error = await refusal(vectorsOf(['milk', ' word'.repeat(8193)], 2));
    expect([error.status, error.param]).toStrictEqual([400, 'input']);
    expect(error.message).toContain(`Invalid 'input[1]': maximum input length is 8192 tokens.`);
    const alone = await post({ model, input: ' word'.repeat(8193) });
    expect(alone.error).toStrictEqual(
      invalid(`Invalid 'input': maximum context length is 8192 tokens.`, 'input'),
    );
  });

  it('are 300,000 tokens together', async () => {
    const inputs = [...Array<string>(37).fill(' word'.repeat(8000)), ' word'.repeat(4000)];
    expect((await vectorsOf(inputs, 2)).size).toBe(38);
    const error = await refusal(vectorsOf([...inputs, 'bread'], 2));
    expect([error.status, error.type, error.code]).toStrictEqual([
      400,
      'max_tokens_per_request',
      'max_tokens_per_request',
    ]);
    expect(error.message).toContain('Requested 300001 tokens, max 300000 tokens per request');
  });
});

describe('authentication', () => {
  it.each([{}, { authorization: 'Bearer ' }, { authorization: 'Basic c2stdGVzdA==' }])(
    'refuses %j',
    async (headers: Record<string, string>) => {
      const { status, error } = await post({ model, input: 'milk' }, headers);
      expect(status).toBe(401);
      expect(error).toMatchObject({ type: 'invalid_request_error', param: null, code: null });
    },
  );

  it('takes only the valid key where one is named, and shows no other in its error', async () => {
    const strict = await serve(
      new OpenAIStandIn({ latencyMs: 0, apiKey: 'sk-the-valid-one' }).handle,
      0,
    );
    try {
      await clientOf(strict, 'sk-the-valid-one').embeddings.create({ model, input: 'milk' });
      const wrong = 'sk-some-other-secret-key';
      const error = await refusal(
        clientOf(strict, wrong).embeddings.create({ model, input: 'milk' }),
      );
      expect([error.status, error.code]).toStrictEqual([401, 'invalid_api_key']);
      expect(error.message).not.toContain(wrong);
      const short = await refusal(clientOf(strict, 'sk-123').models.list());
      expect(short.message).toBe('401 Incorrect API key provided: ******.');
    } finally {
      await strict.close();
    }
  });
});

describe('the other paths', () => {
  it('list the models', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id, object }) => [id, object])).toStrictEqual([
      ['text-embedding-3-small', 'model'],
      ['text-embedding-3-large', 'model'],
      ['text-embedding-ada-002', 'model'],
    ]);
  });

  it.each([
    ['GET', '/v1/embeddings'],
    ['POST', '/v1/chat/completions'],
    ['GET', '/'],
  ])('answer 404 to %s %s', async (method, path) => {
    const response = await fetch(`${server.url}${path}`, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toStrictEqual({
      error: {
        message: `Invalid URL (${method} ${path})`,
        type: 'invalid_request_error',
        param: null,
        code: null,
      },
    });
  });
});

describe('usage and requests', () => {
  it('count what was answered with 200, and nothing else', async () => {
    await client.embeddings.create({ model, input: ['whole milk', 'bread'] });
    await client.embeddings.create({ model, input: 'milk' });
    await refusal(client.embeddings.create({ model, input: '' }));
    stand.fault({ status: 500 });
    await refusal(client.embeddings.create({ model, input: 'milk' }));
    expect(stand.usage).toStrictEqual({ requests: 2, inputs: 3, tokens: 5 });
  });

  it('show each request and how it was answered', async () => {
    await client.embeddings.create({ model, input: ['milk', 'bread'], dimensions: 8 });
    await refusal(client.embeddings.create({ model, input: '', encoding_format: 'float' }));
    const expected: LoggedRequest[] = [
      {
        inputs: ['milk', 'bread'],
        model,
        dimensions: 8,
        encodingFormat: 'base64',
        status: 200,
      },
      { inputs: [''], model, dimensions: undefined, encodingFormat: 'float', status: 400 },
    ];
    expect(stand.requests).toStrictEqual(expected);
  });

  it('forget the oldest requests beyond 10,000 inputs', async () => {
    const inputs = Array.from({ length: 2000 }, (_, i) => `${i}`);
    await client.embeddings.create({ model, input: 'the oldest', dimensions: 1 });
    await client.embeddings.create({ model, input: 'the second', dimensions: 1 });
    for (let i = 0; i < 4; i++) await vectorsOf(inputs, 1);
    await vectorsOf(inputs.slice(1), 1);
    expect(stand.requests.map((request) => request.inputs.length)).toStrictEqual([
      1, 2000, 2000, 2000, 2000, 1999,
    ]);
    expect(stand.requests[0]?.inputs).toStrictEqual(['the second']);
    expect(stand.usage.requests).toBe(7);
  });
});

describe('faults', () => {
  const create = (input: string | string[] = ['milk', 'bread', 'eggs']) =>
    client.embeddings.create({ model, input, dimensions: 8 });

  it('answers 429 with Retry-After, as many times as it is told', async () => {
    stand.fault({ status: 429, retryAfter: 7, times: 2 });
    for (let i = 0; i < 2; i++) {
      const error = await refusal(create());
      expect([error.status, error.type, error.code]).toStrictEqual([
        429,
        'tokens',
        'rate_limit_exceeded',
      ]);
      expect(error.headers?.get('retry-after')).toBe('7');
      expect(error.headers?.get('x-ratelimit-remaining-tokens')).toBe('0');
    }
    expect((await create()).data).toHaveLength(3);
  });

  it('answers 429 for a quota that is used up', async () => {
    stand.fault({ status: 429, code: 'insufficient_quota' });
    const error = await refusal(create());
    expect([error.status, error.type, error.code]).toStrictEqual([
      429,
      'insufficient_quota',
      'insufficient_quota',
    ]);
    expect(error.headers?.has('retry-after')).toBe(false);
  });

  it.each([500, 502, 503, 504] as const)('answers %i until the rule is removed', async (status) => {
    const remove = stand.fault({ status });
    for (let i = 0; i < 3; i++) {
      const error = await refusal(create());
      expect([error.status, error.type]).toStrictEqual([status, 'server_error']);
    }
    remove();
    expect((await create()).data).toHaveLength(3);
  });

  it("is overcome by the client's own retry", async () => {
    stand.fault({ status: 503, times: 1 });
    const retrying = client.withOptions({ maxRetries: 1 });
    const { data } = await retrying.embeddings.create({ model, input: 'milk' });
    expect(data).toHaveLength(1);
    expect(stand.requests.map(({ status }) => status)).toStrictEqual([503, 200]);
  });

  it('cuts the connection', async () => {
    stand.fault({ cut: true, times: 1 });
    expect(await refusal(create())).toBeInstanceOf(APIConnectionError);
    expect(stand.requests.map(({ status }) => status)).toStrictEqual(['cut']);
    expect((await create()).data).toHaveLength(3);
  });

  it('hangs until the rule is removed, then answers', async () => {
    const remove = stand.fault({ hang: true, times: 1 });
    const hanging = create();
    await vi.waitUntil(() => stand.requests[0]?.status === 'pending');
    expect((await create()).data).toHaveLength(3);
    expect(stand.requests.map(({ status }) => status)).toStrictEqual(['pending', 200]);
    remove();
    expect((await hanging).data).toHaveLength(3);
    expect(stand.requests.map(({ status }) => status)).toStrictEqual([200, 200]);
  });

  it("runs into the client's timeout while it hangs", async () => {
    stand.fault({ hang: true });
    const error = await refusal(
      client.embeddings.create({ model, input: 'milk' }, { timeout: 50 }),
    );
    expect(error).toBeInstanceOf(APIConnectionTimeoutError);
  });

  it('leaves out the last vector, or gives one too many', async () => {
    stand.fault({ wrongCount: -1, times: 1 });
    stand.fault({ wrongCount: 1, times: 1 });
    const indexes = async () => (await create()).data.map(({ index }) => index);
    expect(await indexes()).toStrictEqual([0, 1]);
    expect(await indexes()).toStrictEqual([0, 1, 2, 3]);
  });

  it('gives vectors of another length', async () => {
    stand.fault({ wrongDimension: 5 });
    const { data } = await create();
    expect(data.map(({ embedding }) => embedding.length)).toStrictEqual([5, 5, 5]);
  });

  it('gives the vectors in another order, each with its right index', async () => {
    const before = await create();
    stand.fault({ shuffle: true });
    const after = await create();
    expect(after.data.map(({ index }) => index)).toStrictEqual([2, 1, 0]);
    expect(after.data.toReversed()).toStrictEqual(before.data);
  });

  it('gives a vector of NaN in base64, of null in JSON', async () => {
    stand.fault({ nanVector: true });
    const { data } = await create();
    expect(data[0]?.embedding).toStrictEqual(Array<number>(8).fill(NaN));
    expect(data[1]?.embedding.some(Number.isNaN)).toBe(false);
    const floats = await vectorsOf(['milk'], 2);
    expect(floats.get(0)).toStrictEqual([null, null]);
  });

  it('strikes only requests whose inputs match', async () => {
    stand.fault({ status: 500, when: (inputs) => inputs.includes('bread') });
    expect((await create('milk')).data).toHaveLength(1);
    expect((await refusal(create(['milk', 'bread']))).status).toBe(500);
    expect((await create('eggs')).data).toHaveLength(1);
  });

  it('strikes by the oldest matching rule, one rule a request', async () => {
    stand.fault({ status: 500, times: 1, when: (inputs) => inputs.includes('bread') });
    stand.fault({ status: 503, times: 1 });
    expect((await refusal(create('milk'))).status).toBe(503);
    expect((await refusal(create('bread'))).status).toBe(500);
    expect((await create('bread')).data).toHaveLength(1);
  });

  it('does not strike a request that is refused anyway', async () => {
    stand.fault({ status: 500, times: 1 });
    expect((await refusal(create(''))).status).toBe(400);
    expect((await refusal(create('milk'))).status).toBe(500);
  });

  it('does not reach another stand-in', async () => {
    const other = await serve(new OpenAIStandIn({ latencyMs: 0 }).handle, 0);
    stand.fault({ status: 500 });
    try {
      const { data } = await clientOf(other).embeddings.create({ model, input: 'milk' });
      expect(data).toHaveLength(1);
    } finally {
      await other.close();
    }
  });
});
