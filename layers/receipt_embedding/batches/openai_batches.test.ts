import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { BadRequestError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BATCH_ID,
  OTHER_BATCH_ID,
  ourBatch,
  plannedWords,
} from '../../../tests/support/batch_factory.ts';
import { fakeFetch } from '../../../tests/support/fake_fetch.ts';
import { OpenAIAccount } from '../../../tests/support/openai_account.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { withTemporaryFolder, writeLineFile } from '../local_files.ts';
import { requestLine } from './batch_files.ts';
import { translateOpenAIError } from '../embeddings/openai.ts';
import {
  believeMissing,
  blamesFile,
  createOpenaiBatch,
  deleteOpenaiFiles,
  findOpenaiBatch,
  getOpenaiBatchStatus,
  isKnownId,
  uploadBatchRequests,
} from './openai_batches.ts';

let account: OpenAIAccount;

beforeAll(async () => {
  account = await OpenAIAccount.start();
});

afterAll(() => account.close());

const model = { model: 'text-embedding-3-small', dimensions: 2 };

const lines = plannedWords(3).map((entity) => requestLine(entity, model));

const longAgo = new Date('2020-01-01T00:00:00Z');

const batchesOf = (batchId: string) =>
  account.stand.batches.list().filter(({ metadata }) => metadata?.['batch_id'] === batchId);

describe('uploading the requests of a batch', () => {
  it('brings the file to OpenAI as it is, under the batch’s name', async () => {
    const id = await withTemporaryFolder(tmpdir(), async (folder) => {
      const all = [...lines, JSON.stringify({ custom_id: 'é🧾'.repeat(300_000) })];
      const { path } = await writeLineFile(join(folder, 'requests.jsonl'), all);
      const uploaded = await uploadBatchRequests(account.client, path, BATCH_ID);
      const content = await account.client.files.content(uploaded);
      expect(await content.text()).toBe(all.map((line) => `${line}\n`).join(''));
      return uploaded;
    });

    const { filename, purpose } = await account.client.files.retrieve(id);
    expect([filename, purpose]).toStrictEqual([`${BATCH_ID}.jsonl`, 'batch']);
  });

  it('is an error of ours when it fails', async () => {
    const remove = account.stand.fault({ on: 'files.create', status: 401 });

    const error = await withTemporaryFolder(tmpdir(), async (folder) => {
      const { path } = await writeLineFile(join(folder, 'requests.jsonl'), lines);
      return await rejection(uploadBatchRequests(account.client, path, BATCH_ID));
    });
    remove();

    expect(error.name).toBe('InvalidConfiguration');
  });

  it('is given up when OpenAI keeps silent, its retries included', async () => {
    const before = account.asked('files.create');
    const remove = account.stand.fault({ on: 'files.create', hang: true });

    const error = await withTemporaryFolder(tmpdir(), async (folder) => {
      const { path } = await writeLineFile(join(folder, 'requests.jsonl'), lines);
      return await rejection(uploadBatchRequests(account.client, path, BATCH_ID, 300));
    });
    remove();

    expect([error.name, account.asked('files.create') - before]).toStrictEqual([
      'UpstreamUnavailable',
      1,
    ]);
  });
});

describe('creating a batch', () => {
  it('makes one of the file, which carries our id', async () => {
    const inputFileId = await account.upload(lines);

    const id = await createOpenaiBatch(account.client, inputFileId, OTHER_BATCH_ID);

    const { endpoint, completion_window, metadata, input_file_id } =
      await account.client.batches.retrieve(id);
    expect({ endpoint, completion_window, metadata, input_file_id }).toStrictEqual({
      endpoint: '/v1/embeddings',
      completion_window: '24h',
      metadata: { batch_id: OTHER_BATCH_ID },
      input_file_id: inputFileId,
    });
  });

  it.each([
    ['that never comes', { cut: true }, 'UpstreamUnavailable'],
    ['that is an error of OpenAI’s', { status: 500 }, 'UpstreamUnavailable'],
    ['that it was asked too fast', { status: 429, retryAfter: 1 }, 'RateLimited'],
    ['that it may not', { status: 403 }, 'InvalidConfiguration'],
  ] as const)('is asked for once, whatever the answer: one %s', async (_, fault, error) => {
    const inputFileId = await account.upload(lines);
    const before = account.asked('batches.create');
    const remove = account.stand.fault({ on: 'batches.create', ...fault });

    const { name } = await rejection(createOpenaiBatch(account.client, inputFileId, BATCH_ID));
    remove();

    expect([name, account.asked('batches.create') - before]).toStrictEqual([error, 1]);
    expect(batchesOf(BATCH_ID)).toStrictEqual([]);
  });

  it('is found again where its answer was lost', async () => {
    const inputFileId = await account.upload(lines);
    const remove = account.stand.fault({ on: 'batches.create', cut: true, moment: 'after' });

    const { name } = await rejection(createOpenaiBatch(account.client, inputFileId, BATCH_ID));
    remove();

    expect(name).toBe('UpstreamUnavailable');
    const created = batchesOf(BATCH_ID).map(({ id }) => id);
    expect(created).toHaveLength(1);
    expect(await findOpenaiBatch(account.client, BATCH_ID, longAgo)).toBe(created[0]);
  });
});

describe('looking for the batch that carries an id', () => {
  const since = new Date('2025-03-01T12:00:00Z');

  interface Listed {
    readonly id: string;
    readonly minutes: number;
    readonly of?: string;
  }

  /** OpenAI's listing: pages of batches with their age, in minutes after `since`. */
  function listing(...pages: readonly (readonly Listed[])[]) {
    const { fetch, requests } = fakeFetch(
      ...pages.map((page, at) => ({
        json: {
          object: 'list',
          data: page.map(({ id, minutes, of }) => ({
            id,
            created_at: since.getTime() / 1_000 + minutes * 60,
            metadata: of === undefined ? null : { batch_id: of },
          })),
          has_more: at < pages.length - 1,
        },
      })),
    );
    const client = new OpenAI({
      apiKey: 'sk',
      baseURL: 'https://openai.example/v1',
      maxRetries: 0,
      fetch,
    });
    return {
      find: () => findOpenaiBatch(client, BATCH_ID, since),
      queries: () => requests.map(({ url }) => new URL(url).search),
    };
  }

  it('goes on from page to page until it is found', async () => {
    const { find, queries } = listing(
      [
        { id: 'batch_4', minutes: 9 },
        { id: 'batch_3', minutes: 8, of: OTHER_BATCH_ID },
      ],
      [
        { id: 'batch_2', minutes: 1, of: BATCH_ID },
        { id: 'batch_1', minutes: 0 },
      ],
      [{ id: 'batch_0', minutes: -60 }],
    );

    expect(await find()).toBe('batch_2');
    expect(queries()).toStrictEqual(['?limit=100', '?limit=100&after=batch_3']);
  });

  it('stops at those that are older than it can be, though clocks differ by some minutes', async () => {
    const { find, queries } = listing(
      [
        { id: 'batch_4', minutes: 1 },
        { id: 'batch_3', minutes: -4.9 },
      ],
      [
        { id: 'batch_2', minutes: -5.1 },
        { id: 'batch_1', minutes: -6, of: BATCH_ID },
      ],
      [{ id: 'batch_0', minutes: -60 }],
    );

    expect(await find()).toBeUndefined();
    expect(queries()).toHaveLength(2);
  });

  it('finds one that OpenAI’s clock has put before our own', async () => {
    const { find } = listing([{ id: 'batch_1', minutes: -4, of: BATCH_ID }]);

    expect(await find()).toBe('batch_1');
  });

  it('ends where there are no more', async () => {
    expect(await listing([{ id: 'batch_1', minutes: 1 }]).find()).toBeUndefined();
    expect(await listing([]).find()).toBeUndefined();
  });

  it('is an error of ours when it fails', async () => {
    const remove = account.stand.fault({ on: 'batches.list', status: 401 });

    const { name } = await rejection(findOpenaiBatch(account.client, BATCH_ID, longAgo));
    remove();

    expect(name).toBe('InvalidConfiguration');
  });
});

describe('how a batch stands at OpenAI', () => {
  const statusOf = (id: string) => getOpenaiBatchStatus(account.client, id);

  it.each([
    ['validating', 'VALIDATING'],
    ['in_progress', 'IN_PROGRESS'],
    ['finalizing', 'FINALIZING'],
    ['cancelling', 'CANCELLING'],
  ] as const)('is that it goes on while it is %s', async (stays, status) => {
    const script = { stays, ...(stays === 'cancelling' ? { end: 'cancelled' as const } : {}) };
    const { id, input_file_id } = await account.run(lines, script);

    expect(await statusOf(id)).toStrictEqual({
      status,
      input_file_id,
      output_file_id: null,
      error_file_id: null,
      reason: null,
    });
  });

  const [first = '', second = ''] = plannedWords(2).map(({ custom_id }) => custom_id);

  it.each([
    ['completed', 'COMPLETED', {}, [true, false]],
    ['completed', 'COMPLETED', { rows: { [first]: 'refused' } }, [true, true]],
    ['completed', 'COMPLETED', { otherwise: 'refused' }, [false, true]],
    ['completed', 'COMPLETED', { otherwise: 'missing' }, [false, false]],
    ['expired', 'EXPIRED', { rows: { [first]: 'ok', [second]: 'ok' } }, [true, true]],
    ['cancelled', 'CANCELLED', { rows: { [first]: 'ok' } }, [true, true]],
  ] as const)(
    'is that it has %s, with the files that it left',
    async (end, status, script, files) => {
      const batch = await account.run(lines, { end, ...script });

      const { output_file_id, error_file_id, ...stands } = (await statusOf(batch.id)) ?? {};

      expect(stands).toStrictEqual({ status, input_file_id: batch.input_file_id, reason: null });
      expect([output_file_id, error_file_id]).toStrictEqual([
        batch.output_file_id ?? null,
        batch.error_file_id ?? null,
      ]);
      expect([output_file_id !== null, error_file_id !== null]).toStrictEqual(files);
    },
  );

  it('says why it has failed', async () => {
    const errors = [
      { code: 'token_limit_exceeded', message: 'Enqueued token limit reached.' },
      { code: 'invalid_json_line', message: 'This line is not JSON.', line: 3 },
    ];
    const { id } = await account.run(lines, { end: 'failed', errors });

    const { status, reason } = (await statusOf(id)) ?? {};

    expect([status, reason]).toStrictEqual([
      'FAILED',
      'RateLimited (token_limit_exceeded): the account’s queue of batches is full; submit again once others have ended, or lower batch_max_tokens; ' +
        'InvalidRequest (invalid_json_line, line 3): a line of the batch’s input file is no JSON',
    ]);
  });

  it('says no more of the reasons than fits a row', async () => {
    const errors = Array.from({ length: 40 }, (_, line) => ({
      code: 'invalid_json_line',
      message: 'MILK',
      line,
    }));
    const { id } = await account.run(lines, { end: 'failed', errors });

    const { reason } = (await statusOf(id)) ?? {};

    expect(reason).toHaveLength(500);
    expect(reason).toMatch(/^InvalidRequest \(invalid_json_line, line 0\): .*; InvalidRequest/);
  });

  it.each([
    ['a code that is a text', { code: 'MILK 3.99', message: 'MILK 3.99', param: 'MILK 3.99' }],
    ['a code that is a key', { code: 'sk-proj-MILK', message: 'sk-proj-MILK' }],
  ])('quotes nothing that OpenAI says of why: %s', async (_, said) => {
    const { id } = await account.run(lines, { end: 'failed', errors: [said] });

    expect((await statusOf(id))?.reason).toBe('UpstreamUnavailable: OpenAI failed');
  });

  it.each([7, 'sk-proj-MILK', 'MILK 3.99'])(
    'is asked for again where OpenAI names a file that can be none: %s',
    async (output_file_id) => {
      const batches = { retrieve: () => Promise.resolve({ status: 'completed', output_file_id }) };

      const error = await rejection(
        getOpenaiBatchStatus({ batches } as unknown as OpenAI, 'batch_1'),
      );

      expect([error.name, error.message]).toStrictEqual([
        'UpstreamUnavailable',
        'OpenAI answered an id of a file that is none',
      ]);
    },
  );

  it.each([
    [
      'of a base URL without /v1',
      { error: { message: 'Invalid URL (GET /batches/batch_1)', type: 'invalid_request_error' } },
    ],
    ['of a model', { error: { message: 'no such model', code: 'model_not_found', type: 'x' } }],
    ['that is another JSON', { detail: 'Not Found' }],
    ['that is HTML of a proxy', '<html>404 Not Found</html>'],
  ])('is no missing batch for a 404 %s: the configuration is wrong', async (_, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const client = new OpenAI({
      apiKey: 'sk-test',
      maxRetries: 0,
      fetch: () =>
        Promise.resolve(
          new Response(text, {
            status: 404,
            headers: {
              'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
            },
          }),
        ),
    });

    const { name } = await rejection(getOpenaiBatchStatus(client, 'batch_1'));
    expect(name).toBe('InvalidConfiguration');
  });

  it('is nothing where OpenAI knows no such batch', async () => {
    expect(await statusOf('batch_of_long_ago')).toBeUndefined();
  });

  it('is refused where OpenAI says what nobody knows', async () => {
    const batches = { retrieve: () => Promise.resolve({ status: 'MILK 3.99' }) };

    const error = await rejection(
      getOpenaiBatchStatus({ batches } as unknown as OpenAI, 'batch_1'),
    );

    expect([error.name, error.message]).toStrictEqual([
      'InvalidReceiptData',
      'OpenAI names a status of the batch batch_1 that is not known here',
    ]);
  });

  it('is an error of ours when it can not be asked for', async () => {
    const remove = account.stand.fault({ on: 'batches.retrieve', status: 401 });

    const { name } = await rejection(statusOf('batch_1'));
    remove();

    expect(name).toBe('InvalidConfiguration');
  });
});

describe('a file’s id', () => {
  it.each([
    ['file-1', true],
    ['N/A', false],
    [null, false],
    [undefined, false],
  ])('%s names a file: %s', (id, known) => {
    expect(isKnownId(id)).toBe(known);
  });
});

describe('a batch or file of which OpenAI says that it has none', () => {
  const now = new Date('2025-03-05T12:00:00Z');
  const old = { submitted_at: '2025-03-03T11:59:00Z', openai_batch_id: 'batch_of_another_key' };
  const nobodys = () => Promise.resolve(false);
  const believing = (batch: Parameters<typeof believeMissing>[0], isOurs = nobodys) =>
    believeMissing(batch, 'batch batch_9', { client: account.client, isOurs, now });

  it('is not believed before the batch can have expired', async () => {
    const input_file_id = await account.upload(lines);
    const batch = ourBatch({ submitted_at: '2025-03-04T12:00:00Z', input_file_id });

    const { name, message } = await rejection(believing(batch));
    expect([name, message]).toStrictEqual([
      'InvalidConfiguration',
      'OpenAI answers that it has no batch batch_9, before the batch can have expired: check that the API key is of the project that the batch was made in',
    ]);
  });

  it('is not believed of a key that sees nothing of ours', async () => {
    const { name, message } = await rejection(believing(old));

    expect(name).toBe('InvalidConfiguration');
    expect(message).toContain('it is of another project');
  });

  it.each([
    ['its input file', async () => ({ ...old, input_file_id: await account.upload(lines) })],
    ['the batch', async () => ({ ...old, openai_batch_id: (await account.run(lines)).id })],
  ])('is believed of a key that sees %s', async (_, made) => {
    await expect(believing(await made())).resolves.toBeUndefined();
  });

  it('is believed of a key that sees another batch of ours', async () => {
    const sibling = await createOpenaiBatch(
      account.client,
      await account.upload(lines),
      OTHER_BATCH_ID,
    );

    const isOurs = (batchId: string, openaiBatchId: string): Promise<boolean> =>
      Promise.resolve(batchId === OTHER_BATCH_ID && openaiBatchId === sibling);
    await expect(
      believeMissing(old, 'batch batch_9', { client: account.client, isOurs, now }),
    ).resolves.toBeUndefined();
  });
});

describe('the files of a batch', () => {
  it('are deleted, each once, also where some are gone already or never were', async () => {
    const file = await account.upload(lines);
    const ids = [file, file, 'file-gone', 'N/A', null, undefined];

    expect(await deleteOpenaiFiles(account.client, ids)).toBe(1);
    expect((await rejection(account.client.files.retrieve(file))).name).toBe('Error');
  });
});

describe('a refusal', () => {
  it.each([
    [{ param: 'input_file_id' }, true],
    [{ param: 'endpoint' }, false],
  ])('of a batch with %j blames the file: %s', (body, blamed) => {
    const error = new BadRequestError(400, body, undefined, new Headers());

    expect(blamesFile(translateOpenAIError(error))).toBe(blamed);
  });
});
