import { NotFoundError } from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../../tests/support/rejection.ts';
import { type BatchAccount, model, requestLine, startAccount } from '../testing/batch_account.ts';
import type { BatchOptions } from './batch_options.ts';

const accounts: BatchAccount[] = [];
const epoch = Date.UTC(2026, 0, 1);
const second = epoch / 1000;

afterEach(async () => {
  for (const account of accounts.splice(0)) await account.close();
});

async function start(options: BatchOptions = {}): Promise<BatchAccount> {
  const account = await startAccount({ clock: () => new Date(epoch), ...options });
  accounts.push(account);
  return account;
}

const idsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `row-${i}`);

describe('a batch that is created', () => {
  it('is validated first, and completed when somebody looks', async () => {
    const { client, submit, stand } = await start();

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
      created_at: second,
      in_progress_at: null,
      expires_at: second + 86_400,
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
      model,
      status: 'completed',
      output_file_id: 'file-0000000000000000000002',
      in_progress_at: second,
      finalizing_at: second,
      completed_at: second,
      request_counts: { total: 2, completed: 2, failed: 0 },
      usage: { ...created.usage, input_tokens: 6, total_tokens: 6 },
    });
    expect(stand.batchUsage).toStrictEqual({ files: 1, batches: 1, requests: 2, tokens: 6 });
    expect(stand.usage).toStrictEqual({ requests: 0, inputs: 0, tokens: 0 });
  });

  it('gives each request the row that OpenAI gives it, with the vector of the embeddings endpoint', async () => {
    const { client, submit, rowsOf } = await start();
    const { id } = await submit(['a']);

    const [row] = await rowsOf((await client.batches.retrieve(id)).output_file_id);

    const { data } = await client.embeddings.create({
      model,
      input: 'text of a',
      dimensions: 4,
      encoding_format: 'float',
    });
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
          model,
          usage: { prompt_tokens: 3, total_tokens: 3 },
        },
      },
      error: null,
    });
  });

  it('encodes a vector as the request asks, and refuses a request that breaks a limit', async () => {
    const { client, upload, rowsOf } = await start();
    const batch = await client.batches.create({
      input_file_id: await upload([
        requestLine('float', { encoding_format: 'float' }),
        requestLine('empty', { input: '' }),
        requestLine('large', { dimensions: 1537 }),
      ]),
      endpoint: '/v1/embeddings',
      completion_window: '24h',
    });

    const done = await client.batches.retrieve(batch.id);

    expect(done.request_counts).toStrictEqual({ total: 3, completed: 1, failed: 2 });
    const [float] = await rowsOf(done.output_file_id);
    expect(float?.response?.body.data?.[0]?.embedding).toHaveLength(4);
    const errors = (await rowsOf(done.error_file_id)).map(({ custom_id: id, response, error }) => [
      id,
      response?.status_code,
      response?.body.error?.message,
      error,
    ]);
    expect(errors.sort()).toStrictEqual([
      ['empty', 400, `Invalid 'input': input cannot be an empty string.`, null],
      [
        'large',
        400,
        `Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536.`,
        null,
      ],
    ]);
  });

  it('answers in another order than it was asked, or in the same where that is wished', async () => {
    const ids = idsOf(50);
    const orders: string[][] = [];
    for (const options of [{}, { shuffle: false }]) {
      const { client, submit, rowsOf } = await start(options);
      const { output_file_id: fileId } = await client.batches.retrieve((await submit(ids)).id);
      orders.push((await rowsOf(fileId)).map((row) => row.custom_id));
    }
    expect(orders[0]).not.toStrictEqual(ids);
    expect(orders[0]?.toSorted()).toStrictEqual(ids.toSorted());
    expect(orders[1]).toStrictEqual(ids);
  });

  it.each([
    ['an input file of another name', { input_file_id: 'in.jsonl' }, 'input_file_id'],
    ['no input file', { input_file_id: undefined }, 'input_file_id'],
    ['another endpoint', { endpoint: '/v1/responses' }, 'endpoint'],
    ['another window', { completion_window: '1h' }, 'completion_window'],
    [
      '17 pairs of metadata',
      { metadata: Object.fromEntries(idsOf(17).map((id) => [id, ''])) },
      'metadata',
    ],
    ['a long key', { metadata: { ['k'.repeat(65)]: '' } }, 'metadata'],
    ['a long value', { metadata: { key: 'v'.repeat(513) } }, 'metadata.key'],
    ['a number for a value', { metadata: { key: 1 } }, 'metadata.key'],
    [
      'files that are kept for a minute',
      { output_expires_after: { anchor: 'created_at', seconds: 60 } },
      'output_expires_after',
    ],
  ])('is refused with %s', async (_, wrong, param) => {
    const { client, stand } = await start();
    const body = { input_file_id: 'file-1', endpoint: '/v1/embeddings', completion_window: '24h' };
    const error = await rejection(client.batches.create({ ...body, ...wrong } as never));
    expect(error).toMatchObject({ status: 400, param });
    expect(stand.batchUsage.batches).toBe(0);
  });

  it('fails without its input file', async () => {
    const { client, submit } = await start();
    const { id, input_file_id: fileId } = await submit(['a']);
    await client.files.delete(fileId);

    const batch = await client.batches.retrieve(id);

    expect([batch.status, batch.failed_at, batch.errors?.data?.[0]?.message]).toStrictEqual([
      'failed',
      second,
      `No such File object: ${fileId}`,
    ]);
  });
});

describe('a slow batch', () => {
  it('passes through its states by the clock, a third of the latency in each', async () => {
    let now = epoch;
    const { client, submit } = await start({ latencyMs: 90_000, clock: () => new Date(now) });
    const { id } = await submit(['a']);
    const seen: (string | number | null | undefined)[][] = [];
    for (const after of [0, 29_999, 30_000, 60_000, 89_999, 500_000]) {
      now = epoch + after;
      const batch = await client.batches.retrieve(id);
      const { in_progress_at: started, finalizing_at: finalized, completed_at: completed } = batch;
      seen.push([batch.status, started, finalized, completed]);
    }
    const [start_, worked, ended] = [second + 30, second + 60, second + 90];
    expect(seen).toStrictEqual([
      ['validating', null, null, null],
      ['validating', null, null, null],
      ['in_progress', start_, null, null],
      ['finalizing', start_, worked, null],
      ['finalizing', start_, worked, null],
      ['completed', start_, worked, ended],
    ]);
  });

  it('can be cancelled while it works: what was not done is in the error file', async () => {
    let now = epoch;
    const { client, submit, rowsOf } = await start({
      latencyMs: 90_000,
      clock: () => new Date(now),
    });
    const { id } = await submit(['a', 'b']);
    now += 40_000;

    const cancelling = await client.batches.cancel(id);
    now += 30_000;
    const cancelled = await client.batches.retrieve(id);

    expect([cancelling.status, cancelling.cancelling_at]).toStrictEqual([
      'cancelling',
      second + 40,
    ]);
    expect([cancelled.status, cancelled.cancelled_at]).toStrictEqual(['cancelled', second + 70]);
    expect(cancelled.output_file_id).toBeNull();
    expect(cancelled.request_counts).toStrictEqual({ total: 2, completed: 0, failed: 2 });
    const rows = await rowsOf(cancelled.error_file_id);
    expect(rows.map(({ response, error }) => [response, error?.code])).toStrictEqual([
      [null, 'batch_cancelled'],
      [null, 'batch_cancelled'],
    ]);
  });

  it('cannot be cancelled once it has ended', async () => {
    const { client, submit } = await start();
    const { id } = await submit(['a']);
    expect(await rejection(client.batches.cancel(id))).toMatchObject({
      status: 409,
      error: { message: `Cannot cancel a batch with status 'completed'.` },
    });
  });
});

describe('a batch that a test steers', () => {
  it('moves when it is told to, and not before', async () => {
    const { client, stand, submit } = await start({ latencyMs: Infinity });
    const { id } = await submit(['a']);
    const states: string[] = [(await client.batches.retrieve(id)).status];
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
    ['completed', 'a', undefined],
    ['expired', undefined, 'batch_expired'],
    ['cancelled', undefined, 'batch_cancelled'],
    ['failed', undefined, undefined],
  ] as const)('goes straight to %s', async (state, done, code) => {
    const { client, stand, submit, rowsOf } = await start({ latencyMs: Infinity });
    const { id } = await submit(['a']);

    stand.batches.advance(id, state);

    const batch = await client.batches.retrieve(id);
    expect([batch.status, batch[`${state}_at`]]).toStrictEqual([state, second]);
    expect((await rowsOf(batch.output_file_id))[0]?.custom_id).toBe(done);
    expect((await rowsOf(batch.error_file_id))[0]?.error?.code).toBe(code);
    expect(batch.errors?.data?.length).toBe(state === 'failed' ? 1 : undefined);
  });

  it('says why it cannot move when its input file is wrong', async () => {
    const { client, stand, upload } = await start({ latencyMs: Infinity });
    const { id } = await client.batches.create({
      input_file_id: await upload(['no json']),
      endpoint: '/v1/embeddings',
      completion_window: '24h',
    });
    expect(() => {
      stand.batches.advance(id, 'in_progress');
    }).toThrow(
      `Batch ${id} is failed (This line is not parseable as valid JSON.): it can't become in_progress.`,
    );
  });

  it('is listed with what tells it from the others', async () => {
    const { stand, submit } = await start({ latencyMs: Infinity });
    const one = await submit(['a'], { batch_id: 'one' });
    const two = await submit(['b']);
    expect(stand.batches.list()).toStrictEqual([
      {
        id: two.id,
        state: 'validating',
        metadata: null,
        inputFileId: two.input_file_id,
        outputFileId: undefined,
        errorFileId: undefined,
      },
      {
        id: one.id,
        state: 'validating',
        metadata: { batch_id: 'one' },
        inputFileId: one.input_file_id,
        outputFileId: undefined,
        errorFileId: undefined,
      },
    ]);
  });
});

describe('rows that expire', () => {
  it('are a share of the rows, the same ones each time, and none of them twice', async () => {
    const ids = idsOf(400);
    const expired: string[][] = [];
    for (let i = 0; i < 2; i++) {
      const { client, submit, rowsOf } = await start({ expireShare: 0.25 });
      const first = await client.batches.retrieve((await submit(ids)).id);
      const again = await client.batches.retrieve((await submit(ids)).id);

      const errors = await rowsOf(first.error_file_id);
      const lost = errors.map((row) => row.custom_id);
      expect([first.status, again.status]).toStrictEqual(['expired', 'completed']);
      expect([first.expired_at, again.error_file_id]).toStrictEqual([second, null]);
      expect(errors[0]).toStrictEqual({
        id: errors[0]?.id,
        custom_id: lost[0],
        response: null,
        error: {
          code: 'batch_expired',
          message: 'This request could not be executed before the completion window expired.',
        },
      });
      const done = (await rowsOf(first.output_file_id)).map((row) => row.custom_id);
      expect([...done, ...lost].sort()).toStrictEqual(ids.toSorted());
      expired.push(lost);
    }
    expect(expired[0]).toStrictEqual(expired[1]);
    expect(expired[0]?.length).toBeGreaterThan(70);
    expect(expired[0]?.length).toBeLessThan(130);
  });

  it('are all of them where the share is 1', async () => {
    const { client, submit } = await start({ expireShare: 1 });
    const batch = await client.batches.retrieve((await submit(idsOf(20))).id);
    expect([batch.status, batch.output_file_id]).toStrictEqual(['expired', null]);
    expect(batch.request_counts).toStrictEqual({ total: 20, completed: 0, failed: 20 });
  });
});

describe('the list of batches', () => {
  it('is read page by page, newest first', async () => {
    const { client, submit } = await start();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await submit(['a'])).id);

    const listed: string[] = [];
    for await (const { id } of client.batches.list({ limit: 2 })) listed.push(id);

    expect(listed).toStrictEqual(ids);
    const page = await client.batches.list({ limit: 2, after: ids[0] ?? '' });
    expect([page.data.map(({ id }) => id), page.has_more]).toStrictEqual([ids.slice(1, 3), true]);
    expect((await client.batches.list({ limit: 5 })).has_more).toBe(false);
  });

  it.each([{ limit: 0 }, { limit: 101 }, { after: 'batch_none' }])('refuses %j', async (query) => {
    const { client } = await start();
    expect(await rejection(client.batches.list(query))).toMatchObject({ status: 400 });
  });
});

describe('an account', () => {
  it('knows no batch of another one', async () => {
    const [one, two] = [await start(), await start()];
    const { id } = await one.submit(['a']);
    expect(await rejection(two.client.batches.retrieve(id))).toBeInstanceOf(NotFoundError);
    expect(two.stand.batchUsage).toStrictEqual({ files: 0, batches: 0, requests: 0, tokens: 0 });
  });
});
