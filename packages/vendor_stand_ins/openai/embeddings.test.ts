import { type RunningServer, serve } from 'embedded-aws/http/server';
import OpenAI, { APIConnectionError } from 'openai';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { embeddingModels } from './embedding_request.ts';
import type { Fault } from './faults.ts';
import { OpenAIStandIn } from './openai_stand_in.ts';

let stand: OpenAIStandIn;
let server: RunningServer;
let client: OpenAI;

beforeEach(async () => {
  stand = new OpenAIStandIn({ latencyMs: 0, apiKey: 'sk-the-valid-one' });
  server = await serve(stand.handle, 0);
  client = clientWith('sk-the-valid-one');
});

afterEach(() => server.close());

/** OpenAI's own client, which tries once, so that every answer is seen. */
function clientWith(apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });
}

const model = 'text-embedding-3-small';
const base64 = { model, dimensions: 8 } as const;
const floats = { ...base64, encoding_format: 'float' } as const;

const embed = (input: string | string[] = ['milk', 'bread', 'eggs']) =>
  client.embeddings.create({ ...base64, input });

/** A request past the client: what the server says to any body. */
async function post(body: unknown): Promise<{ status: number; error: unknown }> {
  const response = await fetch(`${server.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-the-valid-one' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = (await response.json()) as { error?: unknown };
  return { status: response.status, error: answer.error };
}

describe('an answer', () => {
  it('has one vector an input, in order, with usage and headers', async () => {
    const { data, response } = await client.embeddings
      .create({ model, input: ['milk', 'bread'], encoding_format: 'float' })
      .withResponse();
    expect(data).toMatchObject({
      object: 'list',
      model,
      usage: { prompt_tokens: 3, total_tokens: 3 },
      data: [
        { object: 'embedding', index: 0 },
        { object: 'embedding', index: 1 },
      ],
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': `req_${'1'.padStart(32, '0')}`,
      'openai-model': model,
      'x-ratelimit-limit-tokens': '1000000',
      'x-ratelimit-remaining-tokens': '999997',
      'x-ratelimit-reset-tokens': '1ms',
    });
  });

  it('has the same vectors in base64, little-endian float32, as in floats', async () => {
    const input = ['milk', 'bread'];
    const asFloats = await client.embeddings.create({ ...floats, input });
    // The client asks for base64 and decodes it.
    const decoded = await client.embeddings.create({ ...base64, input });
    expect(stand.requests.map(({ encodingFormat }) => encodingFormat)).toStrictEqual([
      'float',
      'base64',
    ]);
    expect(decoded.data.map(({ embedding }) => embedding)).toStrictEqual(
      asFloats.data.map(({ embedding }) => embedding.map(Math.fround)),
    );
  });

  it('has the vectors of the same texts, whatever their order', async () => {
    const before = await client.embeddings.create({ ...floats, input: ['milk', 'bread'] });
    const after = await client.embeddings.create({ ...floats, input: ['bread', 'milk'] });
    expect(after.data.map(({ embedding }) => embedding)).toStrictEqual(
      before.data.toReversed().map(({ embedding }) => embedding),
    );
  });

  it.each(embeddingModels)('of $id has its own length by default', async (known) => {
    const { data } = await client.embeddings.create({ model: known.id, input: 'milk' });
    expect(data[0]?.embedding).toHaveLength(known.maxDimensions);
  });
});

describe('the limits', () => {
  const valid = { model, input: 'milk' };

  it.each([
    ['no input', { model }, 'input', `Missing required parameter: 'input'.`],
    [
      'an empty list',
      { model, input: [] },
      'input',
      `Invalid 'input': input cannot be an empty array.`,
    ],
    [
      'an empty text',
      { model, input: '' },
      'input',
      `Invalid 'input': input cannot be an empty string.`,
    ],
    [
      'an empty text in a list',
      { model, input: ['milk', ''] },
      'input',
      `Invalid 'input[1]': input cannot be an empty string.`,
    ],
    [
      'what is no text',
      { model, input: ['milk', 1] },
      'input',
      `'$.input' is invalid. Please check the API reference.`,
    ],
    ['no model', { input: 'milk' }, null, 'you must provide a model parameter'],
    [
      'no dimensions at all',
      { ...valid, dimensions: 0 },
      'dimensions',
      `Invalid value for 'dimensions' = 0. Must be greater than or equal to 1.`,
    ],
    [
      'more dimensions than the model has',
      { ...valid, dimensions: 1537 },
      'dimensions',
      `Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536.`,
    ],
    [
      'dimensions for a model that does not take them',
      { ...valid, model: 'text-embedding-ada-002', dimensions: 1536 },
      'dimensions',
      'This model does not support specifying dimensions.',
    ],
    [
      'half a dimension',
      { ...valid, dimensions: 1.5 },
      'dimensions',
      `Invalid type for 'dimensions': expected an integer.`,
    ],
    [
      'an unknown encoding',
      { ...valid, encoding_format: 'hex' },
      'encoding_format',
      `Invalid value for 'encoding_format': expected one of 'float' or 'base64'.`,
    ],
    ['no JSON', 'milk', null, expect.stringContaining('could not parse the JSON body') as string],
    ['no object', '[]', null, expect.stringContaining('could not parse the JSON body') as string],
  ])('refuse %s', async (_, body, param, message) => {
    expect(await post(body)).toMatchObject({
      status: 400,
      error: { message, type: 'invalid_request_error', param },
    });
  });

  it('know no other model', async () => {
    await expect(
      client.embeddings.create({ model: 'no-such-model', input: 'milk' }),
    ).rejects.toMatchObject({
      status: 404,
      type: 'invalid_request_error',
      code: 'model_not_found',
    });
  });

  const thousands = Array<string>(37).fill(' word'.repeat(8_000));

  it.each([
    [
      '2,048 inputs',
      Array<string>(2_048).fill('item'),
      Array<string>(2_049).fill('item'),
      { type: 'invalid_request_error', param: 'input' },
      'array length must be 2048 or less',
    ],
    [
      '8,192 tokens in one input',
      [' word'.repeat(8_192)],
      ['milk', ' word'.repeat(8_193)],
      { type: 'invalid_request_error', param: 'input' },
      `Invalid 'input[1]': maximum input length is 8192 tokens.`,
    ],
    [
      '300,000 tokens together',
      [...thousands, ' word'.repeat(4_000)],
      [...thousands, ' word'.repeat(4_000), 'bread'],
      { type: 'max_tokens_per_request', code: 'max_tokens_per_request' },
      'Requested 300001 tokens, max 300000 tokens per request',
    ],
  ])('are %s', async (_, most, tooMany, error, message) => {
    expect((await embed(most)).data).toHaveLength(most.length);
    await expect(embed(tooMany)).rejects.toMatchObject({
      ...error,
      status: 400,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('a key', () => {
  it.each([
    ['sk-some-other-secret-key', 'Incorrect API key provided: sk-some****-key.'],
    ['sk-123', 'Incorrect API key provided: ******.'],
  ])('that is not the valid one is refused, and not shown: %s', async (key, message) => {
    await expect(clientWith(key).embeddings.create({ model, input: 'milk' })).rejects.toMatchObject(
      { status: 401, code: 'invalid_api_key', error: { message } },
    );
  });

  it('must be there', async () => {
    expect((await fetch(`${server.url}/v1/batches`)).status).toBe(401);
    expect(stand.batchRequests.size).toBe(0);
  });

  it('does not help where there is nothing', async () => {
    await expect(client.get('/nothing')).rejects.toMatchObject({
      status: 404,
      error: { message: 'Invalid URL (GET /v1/nothing)' },
    });
  });
});

describe('the log', () => {
  it('shows each request and how it was answered; usage counts what was answered with 200', async () => {
    await embed(['whole milk', 'bread']);
    await expect(embed('')).rejects.toThrow();
    stand.fault({ status: 500 });
    await expect(embed('milk')).rejects.toThrow();
    const as = { model, dimensions: 8, encodingFormat: 'base64' };
    expect(stand.requests).toStrictEqual([
      { ...as, inputs: ['whole milk', 'bread'], status: 200 },
      { ...as, inputs: [''], status: 400 },
      { ...as, inputs: ['milk'], status: 500 },
    ]);
    expect(stand.usage).toStrictEqual({ requests: 1, inputs: 2, tokens: 3 });
  });

  it('forgets the oldest requests beyond 10,000 inputs', async () => {
    await embed('the oldest');
    for (let i = 0; i < 5; i++) await embed(Array<string>(2_000).fill('x'));
    expect(stand.requests.map(({ inputs }) => inputs.length)).toStrictEqual(
      Array<number>(5).fill(2_000),
    );
    expect(stand.usage.requests).toBe(6);
  });
});

describe('a fault', () => {
  it.each<[Fault, object]>([
    [{ status: 429 }, { type: 'requests', code: 'rate_limit_exceeded' }],
    [
      { status: 429, code: 'insufficient_quota' },
      { type: 'insufficient_quota', code: 'insufficient_quota' },
    ],
    [{ status: 503 }, { type: 'server_error', code: null }],
    [
      { status: 400, code: 'billing_hard_limit_reached', message: 'No more money.', param: 'x' },
      {
        type: 'invalid_request_error',
        code: 'billing_hard_limit_reached',
        param: 'x',
        error: { message: 'No more money.' },
      },
    ],
  ])('%j is an error as OpenAI words it, as often as it says', async (fault, error) => {
    stand.fault({ ...fault, retryAfter: 7, times: 1 });
    const refused: unknown = await embed().catch((reason: unknown) => reason);
    expect(refused).toMatchObject({ status: (fault as { status: number }).status, ...error });
    expect((refused as { headers: Headers }).headers.get('retry-after')).toBe('7');
    expect((await embed()).data).toHaveLength(3);
  });

  it('strikes requests within the limits, whose inputs match', async () => {
    stand.fault({
      on: 'embeddings.create',
      cut: true,
      when: ({ inputs }) => !inputs.includes('x'),
    });
    await expect(embed('')).rejects.toMatchObject({ status: 400 });
    await expect(embed('milk')).rejects.toBeInstanceOf(APIConnectionError);
    expect((await embed('x')).data).toHaveLength(1);
    expect(stand.requests.map(({ status }) => status)).toStrictEqual([400, 'cut', 200]);
  });

  it('lets a request hang until it is removed', async () => {
    const remove = stand.fault({ hang: true });
    const hanging = embed();
    await vi.waitUntil(() => stand.requests[0]?.status === 'pending');
    remove();
    expect((await hanging).data).toHaveLength(3);
    expect(stand.requests.map(({ status }) => status)).toStrictEqual([200]);
  });

  it.each<[Fault, indexes: number[], length: number]>([
    [{ wrongCount: -1 }, [0, 1], 8],
    [{ wrongCount: 1 }, [0, 1, 2, 3], 8],
    [{ wrongDimension: 5 }, [0, 1, 2], 5],
    [{ shuffle: true }, [2, 1, 0], 8],
    [{ nanVector: true }, [0, 1, 2], 8],
  ])('%j answers so', async (fault, indexes, length) => {
    const good = await embed();
    stand.fault(fault);
    const { data } = await embed();
    expect(data.map(({ index }) => index)).toStrictEqual(indexes);
    expect(data.map(({ embedding }) => embedding.length)).toStrictEqual(indexes.map(() => length));
    const wrong = 'nanVector' in fault ? Array<number>(8).fill(NaN) : good.data[0]?.embedding;
    const first = data.find(({ index }) => index === 0)?.embedding;
    if (!('wrongDimension' in fault)) expect(first).toStrictEqual(wrong);
  });
});
