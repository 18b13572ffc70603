import { NotFoundError, toFile } from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../../tests/support/rejection.ts';
import { OpenAIStandIn } from '../openai_stand_in.ts';
import { type BatchAccount, requestLine, startAccount } from '../testing/batch_account.ts';
import { maxFileBytes } from './files_endpoint.ts';

const accounts: BatchAccount[] = [];
const epoch = Date.UTC(2026, 0, 1);
const second = epoch / 1000;

afterEach(async () => {
  for (const account of accounts.splice(0)) await account.close();
});

async function start(options: Parameters<typeof startAccount>[0] = {}): Promise<BatchAccount> {
  const account = await startAccount({ clock: () => new Date(epoch), ...options });
  accounts.push(account);
  return account;
}

describe('a file', () => {
  it('is stored byte by byte, whatever is in it', async () => {
    const { client, stand } = await start();
    const bytes = Buffer.concat([
      Buffer.from('\r\n--boundary--\r\n\r\n'),
      Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256)),
      Buffer.from('\r\n'),
    ]);

    const created = await client.files.create({
      file: await toFile(bytes, 'a "b"; c.jsonl'),
      purpose: 'batch',
    });

    expect(created).toStrictEqual({
      object: 'file',
      id: 'file-0000000000000000000001',
      purpose: 'batch',
      filename: 'a "b"; c.jsonl',
      bytes: bytes.length,
      created_at: second,
      expires_at: second + 30 * 86_400,
      status: 'processed',
      status_details: null,
    });
    expect(await client.files.retrieve(created.id)).toStrictEqual(created);
    const content = await (await client.files.content(created.id)).arrayBuffer();
    expect(Buffer.from(content).equals(bytes)).toBe(true);
    expect(stand.batchUsage.files).toBe(1);
  });

  it('may be empty', async () => {
    const { client } = await start();
    const file = await client.files.create({
      file: await toFile(Buffer.alloc(0), 'in.jsonl'),
      purpose: 'batch',
    });
    expect(file.bytes).toBe(0);
    expect(await (await client.files.content(file.id)).text()).toBe('');
  });

  it('is gone once it is deleted', async () => {
    const { client, upload } = await start();
    const id = await upload(['x']);
    expect(await client.files.delete(id)).toStrictEqual({ object: 'file', deleted: true, id });
    for (const method of ['content', 'retrieve', 'delete'] as const) {
      expect(await rejection(client.files[method](id))).toMatchObject({
        status: 404,
        type: 'invalid_request_error',
        param: 'id',
        code: null,
      });
    }
  });

  it('is gone once it has expired, an hour after it was stored at the earliest', async () => {
    let now = epoch;
    const { client } = await start({ clock: () => new Date(now) });
    const create = async (seconds: number) =>
      await client.files.create({
        file: await toFile(Buffer.from('x'), 'in.jsonl'),
        purpose: 'batch',
        expires_after: { anchor: 'created_at', seconds },
      });
    const { id, expires_at: expiresAt } = await create(3600);
    expect(expiresAt).toBe(second + 3600);
    now += 3_599_000;
    expect((await client.files.retrieve(id)).id).toBe(id);
    now += 1_000;
    expect(await rejection(client.files.content(id))).toBeInstanceOf(NotFoundError);
    expect(await rejection(create(3599))).toMatchObject({ status: 400, param: 'expires_after' });
  });

  it.each([
    ['another purpose', 'in.jsonl', 'fine-tune', 400],
    ['another name', 'in.json', 'batch', 400],
    ['more bytes than the limit', 'in.jsonl', 'batch', 413],
  ])('is refused with %s', async (_, name, purpose, status) => {
    const { client, stand } = await start({ maxFileBytes: 10 });
    const file = await toFile(Buffer.alloc(status === 413 ? 11 : 10), name);
    expect(
      await rejection(client.files.create({ file, purpose: purpose as 'batch' })),
    ).toMatchObject({ status });
    expect(stand.batchUsage.files).toBe(0);
  });

  it('may have 200 MB', () => {
    expect(maxFileBytes).toBe(200_000_000);
  });
});

describe('a form', () => {
  const type = 'multipart/form-data; boundary=b';
  const field = (name: string, value: string) =>
    `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

  it.each([
    ['of another type', 'application/json', '{}'],
    ['without a boundary', 'multipart/form-data', ''],
    ['that does not begin with its boundary', type, 'x'],
    ['that ends in a field', type, '--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nx'],
    ['that ends after a field', type, field('purpose', 'batch')],
    ['with a field without a name', type, '--b\r\ncontent-disposition: x\r\n\r\nx\r\n--b--\r\n'],
    ['without a file', type, `${field('purpose', 'batch')}--b--\r\n`],
    ['with a text for a file', type, `${field('file', 'x')}${field('purpose', 'batch')}--b--\r\n`],
  ])('%s is refused', async (_, contentType, body) => {
    const { handle } = new OpenAIStandIn({ latencyMs: 0 });
    const { status } = await handle({
      method: 'POST',
      path: '/v1/files',
      query: new URLSearchParams(),
      headers: { authorization: 'Bearer sk-test', 'content-type': contentType },
      body: Buffer.from(body),
    });
    expect(status).toBe(400);
  });
});

describe('the output of a batch', () => {
  it('is made while it is read: a reader of the beginning has cost the beginning', async () => {
    const { client, stand, upload } = await start();
    const lines = Array.from({ length: 2000 }, (_, i) => requestLine(`${i}`, { dimensions: 1536 }));
    const { id } = await client.batches.create({
      input_file_id: await upload(lines),
      endpoint: '/v1/embeddings',
      completion_window: '24h',
    });
    const { output_file_id: fileId } = await client.batches.retrieve(id);
    const { body } = await stand.handle({
      method: 'GET',
      path: `/v1/files/${fileId ?? ''}/content`,
      query: new URLSearchParams(),
      headers: { authorization: 'Bearer sk-test' },
      body: Buffer.alloc(0),
    });
    expect(stand.batches.linesDownloaded).toBe(0);

    const [chunk] = body as Iterable<Buffer>;

    const made = stand.batches.linesDownloaded;
    expect(chunk?.toString().split('\n')).toHaveLength(made + 1);
    expect(made).toBeLessThan(20);
    const { bytes } = await client.files.retrieve(fileId ?? '');
    const content = await (await client.files.content(fileId ?? '')).arrayBuffer();
    expect(content.byteLength).toBe(bytes);
    expect(stand.batches.linesDownloaded).toBe(made + 2 * 2000);
  });
});
