import { APIConnectionError, APIConnectionTimeoutError, type APIError } from 'openai';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import type { Operation } from './operation_faults.ts';
import { type BatchAccount, startAccount } from './testing/batch_account.ts';

let account: BatchAccount;
let fileId: string;
let batchId: string;

beforeEach(async () => {
  account = await startAccount({ latencyMs: Infinity });
  const batch = await account.submit(['a', 'b']);
  batchId = batch.id;
  fileId = batch.input_file_id;
});

afterEach(() => account.close());

const operations: Record<Operation, () => Promise<unknown>> = {
  'files.create': () => account.upload(['x']),
  'files.retrieve': () => account.client.files.retrieve(fileId),
  'files.content': () => account.read(fileId),
  'files.delete': () => account.client.files.delete(fileId),
  'batches.create': () =>
    account.client.batches.create({
      input_file_id: fileId,
      endpoint: '/v1/embeddings',
      completion_window: '24h',
      metadata: { batch_id: 'one' },
    }),
  'batches.retrieve': () => account.client.batches.retrieve(batchId),
  'batches.list': async () => (await account.client.batches.list()).data,
  'batches.cancel': () => account.client.batches.cancel(batchId),
};

describe('a fault', () => {
  it.each(Object.keys(operations) as Operation[])(
    'strikes %s, and no other request, as many times as it is told',
    async (on) => {
      account.stand.fault({ on, status: 429, retryAfter: 7, times: 1 });
      account.stand.fault({ on, status: 503, times: 1 });
      account.stand.fault({ on, cut: true, times: 1 });
      for (const [other, request] of Object.entries(operations)) {
        if (other !== on && other !== 'files.delete' && other !== 'batches.cancel') await request();
      }
      const limited = (await rejection(operations[on]())) as unknown as APIError;
      expect([limited.status, limited.code, limited.headers?.get('retry-after')]).toStrictEqual([
        429,
        'rate_limit_exceeded',
        '7',
      ]);
      expect(await rejection(operations[on]())).toMatchObject({
        status: 503,
        type: 'server_error',
      });
      expect(await rejection(operations[on]())).toBeInstanceOf(APIConnectionError);
      await operations[on]();
    },
  );

  it('may come before the request has taken effect, or after', async () => {
    const { stand } = account;
    const before = stand.batchUsage;
    for (const on of ['files.create', 'batches.create'] as const) {
      stand.fault({ on, cut: true, times: 1 });
      await rejection(operations[on]());
    }
    expect(stand.batchUsage).toStrictEqual(before);
    for (const on of ['files.create', 'batches.create'] as const) {
      stand.fault({ on, cut: true, moment: 'after', times: 1 });
      stand.fault({ on, status: 500, moment: 'after', times: 1 });
      expect(await rejection(operations[on]())).toBeInstanceOf(APIConnectionError);
      expect(await rejection(operations[on]())).toMatchObject({ status: 500 });
    }
    expect(stand.batchUsage).toStrictEqual({ ...before, files: 3, batches: 3 });
    expect(stand.batches.list()[0]?.metadata).toStrictEqual({ batch_id: 'one' });
  });

  it('may be a refusal of any kind', async () => {
    account.stand.fault({
      on: 'batches.create',
      status: 400,
      code: 'billing_hard_limit_reached',
      message: 'Billing hard limit has been reached.',
      param: 'x',
    });
    expect(await rejection(operations['batches.create']())).toMatchObject({
      status: 400,
      code: 'billing_hard_limit_reached',
      param: 'x',
      type: 'invalid_request_error',
      error: { message: 'Billing hard limit has been reached.' },
    });
  });

  it('may let a request hang until the rule is removed', async () => {
    const { stand } = account;
    const remove = stand.fault({ on: 'batches.retrieve', hang: true });
    const waiting = operations['batches.retrieve']();
    await vi.waitUntil(() => stand.batchRequests.get('batches.retrieve') === 1);
    expect(
      await rejection(account.client.batches.retrieve(batchId, { timeout: 50 })),
    ).toBeInstanceOf(APIConnectionTimeoutError);
    remove();
    expect(await waiting).toMatchObject({ id: batchId, status: 'validating' });
  });

  it('may let a request take effect once, and hang then', async () => {
    const { stand, client } = account;
    const remove = stand.fault({ on: 'batches.create', hang: true, moment: 'after' });
    const waiting = operations['batches.create']();
    await vi.waitUntil(() => stand.batchUsage.batches === 2);
    remove();
    const { id } = (await waiting) as { id: string };
    expect(stand.batchUsage.batches).toBe(2);
    expect((await client.batches.list()).data[0]?.id).toBe(id);
  });

  it('may cut a content in the middle, so that its reader notices', async () => {
    const { stand, client, read } = account;
    stand.batches.advance(batchId, 'completed');
    const { output_file_id: output } = await client.batches.retrieve(batchId);
    const whole = await read(output);
    for (const cutAfterBytes of [100, whole.length, 1_000_000]) {
      stand.fault({ on: 'files.content', cutAfterBytes, times: 1 });
      const response = await client.files.content(output ?? '');
      let received = '';
      const failure = await rejection(
        (async () => {
          for await (const chunk of response.body ?? []) received += Buffer.from(chunk).toString();
        })(),
      );
      expect(failure).toBeInstanceOf(TypeError);
      expect(received).toBe(whole.slice(0, cutAfterBytes));
    }
    expect(await read(output)).toBe(whole);
  });

  it('strikes only the requests that its condition names', async () => {
    const { stand, client, upload, read } = account;
    const other = await upload(['x']);
    stand.fault({ on: 'files.content', status: 500, when: ({ id }) => id === other });
    stand.fault({
      on: 'batches.create',
      status: 500,
      when: ({ id, metadata }) =>
        id === fileId && (metadata as Record<string, string>)['batch_id'] === 'one',
    });
    expect(await rejection(read(other))).toMatchObject({ status: 500 });
    expect(await read(fileId)).not.toBe('');
    expect(await rejection(operations['batches.create']())).toMatchObject({ status: 500 });
    const params = { endpoint: '/v1/embeddings', completion_window: '24h' } as const;
    await client.batches.create({ ...params, input_file_id: fileId, metadata: { batch_id: '2' } });
    await client.batches.create({ ...params, input_file_id: other, metadata: { batch_id: 'one' } });
  });

  it('of embeddings leaves files and batches alone, and the other way round', async () => {
    const { stand, client } = account;
    const embed = () =>
      client.embeddings.create({ model: 'text-embedding-3-small', input: 'milk' });
    stand.fault({ on: 'embeddings.create', status: 500, times: 1 });
    stand.fault({ on: 'batches.list', status: 503 });
    await operations['batches.retrieve']();
    expect(await rejection(embed())).toMatchObject({ status: 500 });
    expect((await embed()).data).toHaveLength(1);
  });
});

describe('requests to the Files and Batches API', () => {
  it('are counted, those that failed too', async () => {
    account.stand.fault({ on: 'batches.list', status: 503, times: 1 });
    await rejection(operations['batches.list']());
    await operations['batches.list']();
    expect([...account.stand.batchRequests]).toStrictEqual([
      ['files.create', 1],
      ['batches.create', 1],
      ['batches.list', 2],
    ]);
  });

  it('need a key', async () => {
    const { status } = await account.stand.handle({
      method: 'GET',
      path: '/v1/batches',
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.alloc(0),
    });
    expect(status).toBe(401);
    expect(account.stand.batchRequests.has('batches.list')).toBe(false);
  });
});
