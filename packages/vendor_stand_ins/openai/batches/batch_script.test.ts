import { NotFoundError } from 'openai';
import type { Batch } from 'openai/resources/batches';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../../tests/support/rejection.ts';
import { type BatchAccount, startAccount } from '../testing/batch_account.ts';
import type { BatchScript, RowOutcome } from './batch_script.ts';

let account: BatchAccount;

beforeEach(async () => {
  account = await startAccount({ shuffle: false });
});

afterEach(() => account.close());

/** A batch of the requests a, b and c that has gone the script's way. */
async function run(script: BatchScript): Promise<Batch> {
  account.stand.batches.script(script);
  const { id } = await account.submit(['a', 'b', 'c']);
  return await account.client.batches.retrieve(id);
}

const customIds = async (fileId: string | null | undefined): Promise<string[]> =>
  (await account.rowsOf(fileId)).map((row) => row.custom_id);

async function filesOf(batch: Batch): Promise<string[][]> {
  return [await customIds(batch.output_file_id), await customIds(batch.error_file_id)];
}

function embeddingOf(text: string): unknown {
  const rows = text
    .split('\n')
    .map((line) => (line === '' ? undefined : JSON.parse(line)) as unknown);
  return (rows[0] as { response: { body: { data: { embedding: unknown }[] } } }).response.body
    .data[0]?.embedding;
}

describe('the rows of a script', () => {
  it.each<[RowOutcome, number, object | null]>([
    ['refused', 400, { type: 'invalid_request_error', param: 'input', code: null }],
    ['server_error', 500, { type: 'server_error', param: null, code: null }],
    [
      { status: 429, code: 'rate_limit_exceeded', message: 'Slow down.' },
      429,
      { message: 'Slow down.', code: 'rate_limit_exceeded' },
    ],
  ])('%j is a row of the error file', async (outcome, status, error) => {
    const batch = await run({ rows: { b: outcome } });
    expect(await filesOf(batch)).toStrictEqual([['a', 'c'], ['b']]);
    expect(batch.request_counts).toStrictEqual({ total: 3, completed: 2, failed: 1 });
    const [row] = await account.rowsOf(batch.error_file_id);
    expect(row).toMatchObject({
      custom_id: 'b',
      response: { status_code: status, body: { error } },
      error: null,
    });
  });

  it.each([400, 503])('with status %i may be in the output file', async (status) => {
    const batch = await run({ rows: { b: { status, in: 'output_file' } } });
    const rows = await account.rowsOf(batch.output_file_id);
    expect(rows.map(({ response }) => response?.status_code)).toStrictEqual([200, status, 200]);
    expect(batch.error_file_id).toBeNull();
    expect(batch.request_counts).toStrictEqual({ total: 3, completed: 2, failed: 1 });
  });

  it('may be missing, doubled or unknown', async () => {
    const batch = await run({ rows: { a: 'missing', b: 'doubled' }, unknownRows: ['x', 'y'] });
    expect(await filesOf(batch)).toStrictEqual([['b', 'b', 'c', 'x', 'y'], []]);
    const rows = await account.rowsOf(batch.output_file_id);
    expect(rows[0]).toStrictEqual(rows[1]);
    expect(rows[3]?.response?.status_code).toBe(200);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(4);
  });

  it('may be no JSON, or end in the middle, and the next line is sound', async () => {
    const batch = await run({ rows: { a: 'malformed', b: 'cut' } });
    const lines = (await account.read(batch.output_file_id)).split('\n');
    expect(lines).toHaveLength(4);
    const sound = lines.map((line) => {
      try {
        return (JSON.parse(line) as { custom_id: string }).custom_id;
      } catch {
        return undefined;
      }
    });
    expect(sound).toStrictEqual([undefined, undefined, 'c', undefined]);
    expect(lines[1]).toMatch(/^\{"id":"batch_req_/);
  });

  it('may have a vector of floats, of NaN or of another length', async () => {
    const vectors: unknown[] = [];
    for (const outcome of ['float', 'nan', { dimension: 3 }] as const) {
      const { output_file_id: fileId } = await run({ rows: { a: outcome } });
      const embedding = embeddingOf(await account.read(fileId));
      vectors.push(
        typeof embedding === 'string'
          ? Array.from(new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer))
          : (embedding as number[]).length,
      );
    }
    expect(vectors.slice(0, 2)).toStrictEqual([4, [NaN, NaN, NaN, NaN]]);
    expect(vectors[2]).toHaveLength(3);
  });

  it('may be told by the custom_id and the place in the file', async () => {
    const seen: [string, number][] = [];
    const batch = await run({
      rows: (customId, index) => {
        seen.push([customId, index]);
        return index === 1 ? 'missing' : undefined;
      },
    });
    expect(await filesOf(batch)).toStrictEqual([['a', 'c'], []]);
    expect(seen).toStrictEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
  });

  it('may be shuffled', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `${i}`);
    account.stand.batches.script({ shuffle: true });
    const { id } = await account.submit(ids);
    const done = await customIds((await account.client.batches.retrieve(id)).output_file_id);
    expect(done).not.toStrictEqual(ids);
    expect(done.toSorted()).toStrictEqual(ids.toSorted());
  });
});

describe('the end of a script', () => {
  it('is expired or cancelled with what was done in the output, the rest in the error file', async () => {
    for (const end of ['expired', 'cancelled'] as const) {
      const batch = await run({ end, rows: { b: 'ok' } });
      expect(batch.status).toBe(end);
      expect(await filesOf(batch)).toStrictEqual([['b'], ['a', 'c']]);
      const codes = (await account.rowsOf(batch.error_file_id)).map(({ error }) => error?.code);
      expect(codes).toStrictEqual([`batch_${end}`, `batch_${end}`]);
      expect(batch.request_counts).toStrictEqual({ total: 3, completed: 1, failed: 2 });
    }
  });

  it('is expired where a row of it is', async () => {
    const batch = await run({ rows: { a: 'expired' } });
    expect([batch.status, ...(await filesOf(batch))]).toStrictEqual(['expired', ['b', 'c'], ['a']]);
  });

  it('is failed with the errors that are given', async () => {
    const error = { code: 'token_limit_exceeded', message: 'Enqueued token limit reached.' };
    const batch = await run({ end: 'failed', errors: [error] });
    expect([batch.status, ...(await filesOf(batch))]).toStrictEqual(['failed', [], []]);
    expect(batch.errors?.data).toStrictEqual([{ ...error, line: null, param: null }]);
    expect(account.stand.batchUsage).toStrictEqual({
      files: 1,
      batches: 1,
      requests: 0,
      tokens: 0,
    });
  });

  it('is completed with only an error file, or with no file at all', async () => {
    const refused = await run({ otherwise: 'refused' });
    const missing = await run({ otherwise: 'missing' });
    expect([refused.status, refused.output_file_id]).toStrictEqual(['completed', null]);
    expect(await customIds(refused.error_file_id)).toStrictEqual(['a', 'b', 'c']);
    expect([missing.status, missing.output_file_id, missing.error_file_id]).toStrictEqual([
      'completed',
      null,
      null,
    ]);
  });

  it.each(['validating', 'in_progress', 'finalizing', 'cancelling'] as const)(
    'is not reached by a batch that stays %s, until the script is removed',
    async (stays) => {
      const remove = account.stand.batches.script({ stays });
      const { id } = await account.submit(['a']);
      expect((await account.client.batches.retrieve(id)).status).toBe(stays);
      remove();
      expect((await account.client.batches.retrieve(id)).status).toBe(
        stays === 'cancelling' ? 'cancelled' : 'completed',
      );
    },
  );
});

describe('what a script lets go', () => {
  it('is a file that the batch still names', async () => {
    const batch = await run({ rows: { a: 'refused' }, outputFile: 'gone' });
    expect(batch.output_file_id).toMatch(/^file-/);
    expect(await rejection(account.read(batch.output_file_id))).toMatchObject({
      status: 404,
      param: 'id',
      error: { message: `No such File object: ${batch.output_file_id ?? ''}` },
    });
    expect(await customIds(batch.error_file_id)).toStrictEqual(['a']);
  });

  it('is the error file likewise', async () => {
    const batch = await run({ rows: { a: 'refused' }, errorFile: 'gone' });
    expect(await rejection(account.read(batch.error_file_id))).toBeInstanceOf(NotFoundError);
    expect(await customIds(batch.output_file_id)).toStrictEqual(['b', 'c']);
  });

  it('is the batch, for as long as the script is in force', async () => {
    const { stand, client, submit } = account;
    const { id } = await submit(['a']);
    await client.batches.retrieve(id);
    const remove = stand.batches.script({ gone: true });
    expect(await rejection(client.batches.retrieve(id))).toBeInstanceOf(NotFoundError);
    expect((await client.batches.list()).data).toStrictEqual([]);
    remove();
    expect((await client.batches.retrieve(id)).status).toBe('completed');
  });
});

describe('a script', () => {
  it('is for the batches that it names, those that are on their way too', async () => {
    const { stand, client, submit } = account;
    const before = await submit(['a'], { batch_id: 'bad' });
    stand.batches.script({ end: 'failed' }, ({ metadata }) => metadata?.['batch_id'] === 'bad');
    const after = await submit(['a'], { batch_id: 'bad' });
    const other = await submit(['a'], { batch_id: 'good' });
    const states = [before, after, other].map(
      async ({ id }) => (await client.batches.retrieve(id)).status,
    );
    expect(await Promise.all(states)).toStrictEqual(['failed', 'failed', 'completed']);
  });

  it('gives way to a newer one', async () => {
    account.stand.batches.script({ end: 'failed' });
    expect((await run({})).status).toBe('completed');
  });

  it('changes nothing about a batch that has ended', async () => {
    const { id, output_file_id: fileId } = await run({});
    account.stand.batches.script({ end: 'failed', otherwise: 'missing' });
    expect((await account.client.batches.retrieve(id)).status).toBe('completed');
    expect(await customIds(fileId)).toStrictEqual(['a', 'b', 'c']);
  });

  it('says what becomes of the rows of a batch that a test steers', async () => {
    const steered = await startAccount({ latencyMs: Infinity });
    try {
      const { stand, client, submit, rowsOf } = steered;
      stand.batches.script({ rows: { a: 'ok' } });
      const { id } = await submit(['a', 'b']);
      stand.batches.advance(id, 'cancelled');
      const batch = await client.batches.retrieve(id);
      expect((await rowsOf(batch.output_file_id)).map((row) => row.custom_id)).toStrictEqual(['a']);
      expect((await rowsOf(batch.error_file_id)).map((row) => row.custom_id)).toStrictEqual(['b']);
    } finally {
      await steered.close();
    }
  });
});
