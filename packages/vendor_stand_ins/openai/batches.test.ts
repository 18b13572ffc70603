import { type RunningServer, serve } from 'embedded-aws/http/server';
import OpenAI, { APIConnectionError, NotFoundError, toFile } from 'openai';
import type { Batch } from 'openai/resources/batches';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BatchOptions, BatchScript, RowOutcome } from './batch_script.ts';
import type { Operation } from './faults.ts';
import { OpenAIStandIn } from './openai_stand_in.ts';

const EPOCH = Date.UTC(2026, 0, 1);
const SECOND = EPOCH / 1000;
const MODEL = 'text-embedding-3-small';

let now: number;
let stand: OpenAIStandIn;
const servers: RunningServer[] = [];
let client: OpenAI;

beforeEach(async () => {
  now = EPOCH;
  await start({});
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Another account in the place of the one before. */
async function start(batches: BatchOptions): Promise<void> {
  stand = new OpenAIStandIn({ latencyMs: 0, batches: { clock: () => new Date(now), ...batches } });
  const server = await serve(stand.handle, 0);
  servers.push(server);
  client = new OpenAI({ apiKey: 'sk-test', baseURL: `${server.url}/v1`, maxRetries: 0 });
}

/** A request for the text `text of {customId}`, four dimensions, in base64. */
function requestLine(customId: string, body: object = {}, line: object = {}): string {
  const input = `text of ${customId}`;
  return JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model: MODEL, input, encoding_format: 'base64', dimensions: 4, ...body },
    ...line,
  });
}

async function upload(lines: readonly string[]): Promise<string> {
  const file = await toFile(Buffer.from(lines.map((line) => `${line}\n`).join('')), 'in.jsonl');
  return (await client.files.create({ file, purpose: 'batch' })).id;
}

async function create(inputFileId: string, metadata?: Record<string, string>): Promise<Batch> {
  return await client.batches.create({
    input_file_id: inputFileId,
    endpoint: '/v1/embeddings',
    completion_window: '24h',
    ...(metadata && { metadata }),
  });
}

/** A batch of requests with these custom ids. */
async function submit(ids: readonly string[], metadata?: Record<string, string>): Promise<Batch> {
  return await create(await upload(ids.map((id) => requestLine(id))), metadata);
}

/** A batch of the requests a, b and c, as it is after the script. */
async function run(script: BatchScript, ids = ['a', 'b', 'c']): Promise<Batch> {
  stand.batches.script(script);
  return await client.batches.retrieve((await submit(ids)).id);
}

interface Row {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: object } | null;
  readonly error: { readonly code: string } | null;
}

async function read(fileId: string | null | undefined): Promise<string> {
  return fileId == null ? '' : await (await client.files.content(fileId)).text();
}

async function rowsOf(fileId: string | null | undefined): Promise<Row[]> {
  const lines = (await read(fileId)).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Row);
}

/** The status, and the custom ids in the output and in the error file, sorted; '-' for a file that it does not name. */
async function endOf(batch: Batch): Promise<[Batch['status'], string, string]> {
  const idsOf = async (file: string | null | undefined): Promise<string> =>
    file == null
      ? '-'
      : (await rowsOf(file))
          .map((row) => row.custom_id)
          .sort()
          .join('');
  return [batch.status, await idsOf(batch.output_file_id), await idsOf(batch.error_file_id)];
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `row-${i}`);

describe('a file', () => {
  it('is stored byte by byte, whatever is in it, until it is deleted', async () => {
    const bytes = Buffer.concat([
      Buffer.from('\r\n--boundary--\r\n\r\n'),
      Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256)),
    ]);
    const file = await toFile(bytes, 'a "b"; c.jsonl');

    const created = await client.files.create({ file, purpose: 'batch' });

    expect(created).toStrictEqual({
      object: 'file',
      id: 'file-0000000000000000000001',
      purpose: 'batch',
      filename: 'a "b"; c.jsonl',
      bytes: bytes.length,
      created_at: SECOND,
      expires_at: SECOND + 30 * 86_400,
      status: 'processed',
      status_details: null,
    });
    const content = await (await client.files.content(created.id)).arrayBuffer();
    expect(Buffer.from(content).equals(bytes)).toBe(true);
    await client.files.delete(created.id);
    await expect(client.files.content(created.id)).rejects.toMatchObject({
      status: 404,
      param: 'id',
      error: { message: `No such File object: ${created.id}` },
    });
  });

  it('is gone after 30 days', async () => {
    const id = await upload(['x']);
    now += 30 * 86_400_000;
    await expect(client.files.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
  });

  it.each([
    ['another purpose', 'in.jsonl', 'fine-tune'],
    ['another name', 'in.json', 'batch'],
  ])('is refused with %s', async (_, name, purpose) => {
    const file = new File(['x'], name);
    await expect(client.files.create({ file, purpose: purpose as 'batch' })).rejects.toMatchObject({
      status: 400,
    });
    expect(stand.batchUsage.files).toBe(0);
  });

  it('is refused where it is no form', async () => {
    await expect(client.post('/files', { body: {} })).rejects.toMatchObject({ status: 400 });
  });
});

describe('a batch that is created', () => {
  it('is validated first, and completed when somebody looks', async () => {
    const created = await submit(['a', 'b'], { batch_id: '1' });
    const batch = await client.batches.retrieve(created.id);

    expect(created).toStrictEqual({
      id: 'batch_00000000000000000000000000000001',
      object: 'batch',
      endpoint: '/v1/embeddings',
      model: null,
      errors: null,
      input_file_id: 'file-0000000000000000000001',
      completion_window: '24h',
      status: 'validating',
      output_file_id: null,
      error_file_id: null,
      created_at: SECOND,
      in_progress_at: null,
      expires_at: SECOND + 86_400,
      finalizing_at: null,
      completed_at: null,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: { total: 0, completed: 0, failed: 0 },
      usage: {
        input_tokens: 0,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 0,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 0,
      },
      metadata: { batch_id: '1' },
    });
    expect(batch).toStrictEqual({
      ...created,
      model: MODEL,
      status: 'completed',
      output_file_id: 'file-0000000000000000000002',
      in_progress_at: SECOND,
      finalizing_at: SECOND,
      completed_at: SECOND,
      request_counts: { total: 2, completed: 2, failed: 0 },
      usage: { ...created.usage, input_tokens: 6, total_tokens: 6 },
    });
    expect(stand.batchUsage).toStrictEqual({ files: 1, batches: 1, requests: 2, tokens: 6 });
    expect(stand.usage).toStrictEqual({ requests: 0, inputs: 0, tokens: 0 });
  });

  it('gives each request the row that OpenAI gives it, with the vector of the embeddings endpoint', async () => {
    const [row] = await rowsOf((await run({}, ['a'])).output_file_id);

    const input = 'text of a';
    const { data } = await client.embeddings.create({ model: MODEL, input, dimensions: 4 });
    const embedding = Buffer.from(new Float32Array(data[0]?.embedding ?? []).buffer);
    expect(row).toStrictEqual({
      id: 'batch_req_000000000000000100000000',
      custom_id: 'a',
      response: {
        status_code: 200,
        request_id: 'req_000000000000000100000000',
        body: {
          object: 'list',
          data: [{ object: 'embedding', index: 0, embedding: embedding.toString('base64') }],
          model: MODEL,
          usage: { prompt_tokens: 3, total_tokens: 3 },
        },
      },
      error: null,
    });
  });

  it('refuses a request that breaks a limit of the embeddings endpoint, and that one alone', async () => {
    const lines = [requestLine('good'), requestLine('empty', { input: '' })];
    const { id } = await create(await upload(lines));

    const batch = await client.batches.retrieve(id);

    expect(batch.request_counts).toStrictEqual({ total: 2, completed: 1, failed: 1 });
    expect(await endOf(batch)).toStrictEqual(['completed', 'good', 'empty']);
    const message = `Invalid 'input': input cannot be an empty string.`;
    expect((await rowsOf(batch.error_file_id))[0]).toMatchObject({
      response: { status_code: 400, body: { error: { message } } },
      error: null,
    });
  });

  it('answers in another order than it was asked, while it is read', async () => {
    const ids = numbered(1_000);
    const batch = await run({}, ids);
    const { body } = await stand.handle({
      method: 'GET',
      path: `/v1/files/${batch.output_file_id ?? ''}/content`,
      query: new URLSearchParams(),
      headers: { authorization: 'Bearer sk-test' },
      body: Buffer.alloc(0),
    });
    const [first] = body as Iterable<Buffer>;
    expect(first?.length).toBeLessThan(70_000);

    const answered = (await rowsOf(batch.output_file_id)).map((row) => row.custom_id);
    expect(answered).not.toStrictEqual(ids);
    expect(answered.sort()).toStrictEqual(ids.sort());
  });

  it.each([
    ['an input file of another name', { input_file_id: 'in.jsonl' }, 'input_file_id'],
    ['no input file', { input_file_id: undefined }, 'input_file_id'],
    ['another endpoint', { endpoint: '/v1/responses' }, 'endpoint'],
    ['another window', { completion_window: '1h' }, 'completion_window'],
    [
      '17 pairs of metadata',
      { metadata: Object.fromEntries(numbered(17).map((id) => [id, ''])) },
      'metadata',
    ],
    ['a long value', { metadata: { key: 'v'.repeat(513) } }, 'metadata.key'],
  ])('is refused with %s', async (_, wrong, param) => {
    const body = { input_file_id: 'file-1', endpoint: '/v1/embeddings', completion_window: '24h' };
    await expect(client.batches.create({ ...body, ...wrong } as never)).rejects.toMatchObject({
      status: 400,
      param,
    });
    expect(stand.batchUsage.batches).toBe(0);
  });

  const many = (count: number) => numbered(count).map((id) => requestLine(id, { input: 'x' }));

  it.each<[string, string[], [string, number | null, string | null]]>([
    ['no line', [], ['empty_file', null, null]],
    ['a line that is not JSON', [requestLine('a'), 'oops'], ['invalid_json_line', 2, null]],
    ['an empty line', ['', requestLine('a')], ['invalid_json_line', 1, null]],
    ['a custom_id twice', many(1).concat(many(1)), ['duplicate_custom_id', 2, 'custom_id']],
    [
      'no custom_id',
      [requestLine('', {}, { custom_id: undefined })],
      ['missing_required_parameter', 1, 'custom_id'],
    ],
    ['another method', [requestLine('a', {}, { method: 'GET' })], ['invalid_request', 1, 'method']],
    ['another url', [requestLine('a', {}, { url: '/v1/x' })], ['url_mismatch', 1, 'url']],
    [
      'no model',
      [requestLine('a', { model: undefined })],
      ['missing_required_parameter', 1, 'body.model'],
    ],
    [
      'an unknown model',
      [requestLine('a', { model: 'gpt-0' })],
      ['model_not_found', 1, 'body.model'],
    ],
    [
      'two models',
      [requestLine('a'), requestLine('b', { model: 'text-embedding-3-large' })],
      ['mismatched_model', 2, 'body.model'],
    ],
    ['50,001 requests', many(50_001), ['too_many_tasks', null, null]],
    [
      '50,001 inputs',
      numbered(26).map((id) => requestLine(id, { input: Array<string>(1_924).fill('x') })),
      ['too_many_tasks', null, null],
    ],
  ])('fails with %s', async (_, lines, [code, line, param]) => {
    const { id } = await create(await upload(lines));
    const { status, errors } = await client.batches.retrieve(id);
    expect([status, errors?.data]).toMatchObject(['failed', [{ code, line, param }]]);
  });

  it('may have 50,000 requests', async () => {
    const { id } = await create(await upload(many(50_000)));
    expect((await client.batches.retrieve(id)).request_counts?.completed).toBe(50_000);
  });

  it('fails without its input file', async () => {
    const { id, input_file_id: fileId } = await submit(['a']);
    await client.files.delete(fileId);
    expect(await client.batches.retrieve(id)).toMatchObject({
      status: 'failed',
      failed_at: SECOND,
      errors: { data: [{ message: `No such File object: ${fileId}` }] },
    });
  });
});

describe('a slow batch', () => {
  it('passes through its states by the clock, a third of the latency in each', async () => {
    await start({ latencyMs: 90_000 });
    const { id } = await submit(['a']);
    const states: [string, ...(number | null | undefined)[]][] = [];
    for (const after of [29_999, 30_000, 60_000, 500_000]) {
      now = EPOCH + after;
      const batch = await client.batches.retrieve(id);
      const { in_progress_at: started, finalizing_at: finalized, completed_at: completed } = batch;
      states.push([batch.status, started, finalized, completed]);
    }
    expect(states).toStrictEqual([
      ['validating', null, null, null],
      ['in_progress', SECOND + 30, null, null],
      ['finalizing', SECOND + 30, SECOND + 60, null],
      ['completed', SECOND + 30, SECOND + 60, SECOND + 90],
    ]);
  });

  it('moves when a test tells it to, and not before', async () => {
    await start({ latencyMs: Infinity });
    const { id } = await submit(['a']);
    const states = [(await client.batches.retrieve(id)).status];
    for (const state of ['in_progress', 'finalizing', 'completed'] as const) {
      stand.batches.advance(id, state);
      states.push((await client.batches.retrieve(id)).status);
    }
    expect(states).toStrictEqual(['validating', 'in_progress', 'finalizing', 'completed']);
    expect(() => {
      stand.batches.advance(id, 'in_progress');
    }).toThrow(`Batch ${id} is completed: it can't become in_progress.`);
  });

  it.each([
    ['completed', 'ab', '-'],
    ['expired', 'a', 'b'],
    ['cancelled', 'a', 'b'],
    ['failed', '-', '-'],
  ] as const)('goes straight to %s, its rows as the script says', async (state, done, lost) => {
    await start({ latencyMs: Infinity });
    stand.batches.script({ rows: { a: 'ok' } });
    const { id } = await submit(['a', 'b']);

    stand.batches.advance(id, state);

    const batch = await client.batches.retrieve(id);
    expect(await endOf(batch)).toStrictEqual([state, done, lost]);
    expect(batch[`${state}_at`]).toBe(SECOND);
  });
});

describe('rows that expire', () => {
  it('are a share of the rows, the same ones each time, and none of them twice', async () => {
    const ids = numbered(400);
    const expired: string[] = [];
    for (let i = 0; i < 2; i++) {
      await start({ expireShare: 0.25 });
      const first = await endOf(await run({}, ids));
      const again = await endOf(await run({}, ids));
      expect([first[0], again[0], again[2]]).toStrictEqual(['expired', 'completed', '-']);
      expired.push(first[2]);
    }
    expect(expired[0]).toBe(expired[1]);
    expect(expired[0]?.match(/row/g)?.length).toBeGreaterThan(70);
    expect(expired[0]?.match(/row/g)?.length).toBeLessThan(130);
  });
});

describe('the list of batches', () => {
  it('is read page by page, newest first', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await submit(['a'])).id);

    const listed: string[] = [];
    for await (const { id } of client.batches.list({ limit: 2 })) listed.push(id);

    expect(listed).toStrictEqual(ids);
    expect(stand.batches.list().map(({ id }) => id)).toStrictEqual(ids);
  });

  it.each([{ limit: 0 }, { limit: 101 }, { after: 'batch_none' }])('refuses %j', async (query) => {
    await expect(client.batches.list(query)).rejects.toMatchObject({ status: 400 });
  });
});

describe('the rows of a script', () => {
  it.each<[RowOutcome, number, object]>([
    ['refused', 400, { type: 'invalid_request_error', param: 'input', code: null }],
    ['server_error', 500, { type: 'server_error', param: null, code: null }],
    [{ status: 429, message: 'Slow down.' }, 429, { message: 'Slow down.', type: 'requests' }],
  ])('%j is a row of the error file', async (outcome, status, error) => {
    const batch = await run({ rows: { b: outcome } });
    expect(await endOf(batch)).toStrictEqual(['completed', 'ac', 'b']);
    expect(batch.request_counts).toStrictEqual({ total: 3, completed: 2, failed: 1 });
    expect((await rowsOf(batch.error_file_id))[0]).toMatchObject({
      response: { status_code: status, body: { error } },
      error: null,
    });
  });

  it('may be an error in the output file', async () => {
    const batch = await run({ rows: { b: { status: 503, in: 'output_file' } } });
    expect(await endOf(batch)).toStrictEqual(['completed', 'abc', '-']);
    expect(batch.request_counts).toStrictEqual({ total: 3, completed: 2, failed: 1 });
  });

  it('may be missing, doubled or unknown, by the custom_id and the place in the file', async () => {
    const rows = (id: string, at: number): RowOutcome | undefined =>
      id === 'a' && at === 0 ? 'missing' : at === 1 ? 'doubled' : undefined;
    const batch = await run({ rows, unknownRows: ['x', 'y'] });
    expect(await endOf(batch)).toStrictEqual(['completed', 'bbcxy', '-']);
  });

  it('may be no JSON, or end in the middle', async () => {
    const batch = await run({ rows: { a: 'malformed', b: 'cut' } });
    const lines = (await read(batch.output_file_id)).split('\n').slice(0, -1);
    expect(lines).toHaveLength(3);
    expect(lines.filter((line) => line.startsWith('{"id":"batch_req_'))).toHaveLength(2);
    expect(lines.filter((line) => line.endsWith('}'))).toHaveLength(1);
  });

  it.each<[RowOutcome, unknown]>([
    ['float', Array<unknown>(4).fill(expect.any(Number))],
    ['nan', Buffer.from(new Float32Array(4).fill(NaN).buffer).toString('base64')],
    [{ dimension: 3 }, expect.stringMatching(/^.{16}$/)],
  ])('%j is another vector', async (outcome, embedding) => {
    const [row] = await rowsOf((await run({ otherwise: outcome })).output_file_id);
    expect(row?.response?.body).toMatchObject({ data: [{ embedding }] });
  });
});

describe('the end of a script', () => {
  it.each<[BatchScript, Batch['status'], string, string]>([
    [{}, 'completed', 'abc', '-'],
    [{ end: 'expired', rows: { b: 'ok' } }, 'expired', 'b', 'ac'],
    [{ end: 'cancelled', rows: { b: 'ok' } }, 'cancelled', 'b', 'ac'],
    [{ rows: { a: 'expired' } }, 'expired', 'bc', 'a'],
    [{ otherwise: 'refused' }, 'completed', '-', 'abc'],
    [{ otherwise: 'missing' }, 'completed', '-', '-'],
  ])('%j', async (script, status, output, errors) => {
    const batch = await run(script);
    expect(await endOf(batch)).toStrictEqual([status, output, errors]);
    const codes = (await rowsOf(batch.error_file_id)).map(({ error }) => error?.code);
    const expected = script.otherwise === 'refused' ? undefined : `batch_${status}`;
    expect(codes).toStrictEqual(errors === '-' ? [] : Array.from(errors, () => expected));
  });

  it('is failed with the errors that are given', async () => {
    const error = { code: 'token_limit_exceeded', message: 'Enqueued token limit reached.' };
    const batch = await run({ end: 'failed', errors: [error] });
    expect(await endOf(batch)).toStrictEqual(['failed', '-', '-']);
    expect(batch.errors?.data).toStrictEqual([{ ...error, line: null, param: null }]);
    expect(stand.batchUsage).toMatchObject({ batches: 1, requests: 0, tokens: 0 });
  });

  it.each(['validating', 'in_progress', 'finalizing', 'cancelling'] as const)(
    'is not reached by a batch that stays %s, until the script is removed',
    async (stays) => {
      const remove = stand.batches.script({ stays });
      const { id } = await submit(['a']);
      expect((await client.batches.retrieve(id)).status).toBe(stays);
      remove();
      const end = stays === 'cancelling' ? 'cancelled' : 'completed';
      expect((await client.batches.retrieve(id)).status).toBe(end);
    },
  );

  it.each(['output', 'error'] as const)(
    'may be without the %s file that the batch names',
    async (kind) => {
      const batch = await run({ rows: { a: 'refused' }, [`${kind}File`]: 'gone' });
      const other = kind === 'output' ? 'error' : 'output';
      await expect(read(batch[`${kind}_file_id`])).rejects.toBeInstanceOf(NotFoundError);
      expect(await read(batch[`${other}_file_id`])).not.toBe('');
    },
  );

  it('may be a batch that nobody knows, for as long as the script is in force', async () => {
    const { id } = await submit(['a']);
    const remove = stand.batches.script({ gone: true });
    await expect(client.batches.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
    expect((await client.batches.list()).data).toStrictEqual([]);
    remove();
    expect((await client.batches.retrieve(id)).status).toBe('completed');
  });
});

describe('a script', () => {
  it('is for the batches that it names, those that have not ended, and gives way to a newer one', async () => {
    const ended = await run({});
    stand.batches.script({ end: 'expired' });
    const before = await submit(['a'], { batch_id: 'bad' });
    stand.batches.script({ end: 'failed' }, ({ metadata }) => metadata?.['batch_id'] === 'bad');
    const after = await submit(['a'], { batch_id: 'bad' });
    const other = await submit(['a'], { batch_id: 'good' });
    const statuses: string[] = [];
    for (const { id } of [ended, before, after, other]) {
      statuses.push((await client.batches.retrieve(id)).status);
    }
    expect(statuses).toStrictEqual(['completed', 'failed', 'failed', 'expired']);
  });
});

describe('a fault', () => {
  let fileId: string;
  let batchId: string;

  beforeEach(async () => {
    ({ id: batchId, input_file_id: fileId } = await submit(['a', 'b']));
  });

  const requests: Record<Exclude<Operation, 'embeddings.create'>, () => Promise<unknown>> = {
    'files.create': () => upload(['x']),
    'files.retrieve': () => client.files.retrieve(fileId),
    'files.content': () => read(fileId),
    'batches.create': () => create(fileId),
    'batches.retrieve': () => client.batches.retrieve(batchId),
    'batches.list': () => client.batches.list(),
    'files.delete': () => client.files.delete(fileId),
  };

  it.each(Object.keys(requests) as (keyof typeof requests)[])(
    'strikes %s, and no other request; each is counted',
    async (on) => {
      stand.fault({ on, status: 429, times: 1 });
      const before = stand.batchRequests.get(on) ?? 0;
      const refused: string[] = [];
      for (const [other, request] of Object.entries(requests)) {
        await request().catch(() => refused.push(other));
      }
      expect(refused).toStrictEqual([on]);
      expect(stand.batchRequests.get(on)).toBe(before + 1);
    },
  );

  it('may come after the request has taken effect', async () => {
    const before = stand.batchUsage;
    stand.fault({ on: 'batches.create', cut: true, times: 1 });
    stand.fault({ on: 'batches.create', cut: true, moment: 'after', times: 1 });
    for (const batches of [before.batches, before.batches + 1]) {
      await expect(create(fileId)).rejects.toBeInstanceOf(APIConnectionError);
      expect(stand.batchUsage.batches).toBe(batches);
    }
  });

  it('strikes by the id of the file or batch, and by the metadata of a new one', async () => {
    const other = await upload(['x']);
    stand.fault({ on: 'files.content', status: 500, when: ({ id }) => id === other });
    await expect(read(other)).rejects.toMatchObject({ status: 500 });
    expect(await read(fileId)).not.toBe('');
    const isNight = (metadata: unknown) => (metadata as { run?: string } | undefined)?.run === 'n';
    const when = ({ id, metadata }: { id: string; metadata?: unknown }) =>
      id === fileId && isNight(metadata);
    stand.fault({ on: 'batches.create', status: 400, when });
    await create(fileId, { run: 'd' });
    await create(other, { run: 'n' });
    await expect(create(fileId, { run: 'n' })).rejects.toMatchObject({ status: 400 });
  });

  it('may cut a content in the middle', async () => {
    const whole = await read(fileId);
    stand.fault({ on: 'files.content', cutAfterBytes: 100 });
    const { body } = await client.files.content(fileId);
    let received = '';
    const reading = (async () => {
      for await (const chunk of body ?? []) received += Buffer.from(chunk).toString();
    })();
    await expect(reading).rejects.toThrow(TypeError);
    expect(received).toBe(whole.slice(0, 100));
  });
});
