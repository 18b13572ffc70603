import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, rawCall, type RunningS3, startS3, storedTime } from '../test_support.ts';

const Bucket = 'receipts';
const Key = 'a';
/** The MD5 of `hello`, quoted. */
const helloEtag = '"5d41402abc4b2a76b9719d911017c592"';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  await s3.stop();
});

async function put(body: string, options: Record<string, unknown> = {}) {
  return s3.client.send(new PutObjectCommand({ Bucket, Key, Body: body, ...options }));
}

async function get(options: Record<string, unknown> = {}) {
  return s3.client.send(new GetObjectCommand({ Bucket, Key, ...options }));
}

describe('PutObject', () => {
  it('answers with the quoted MD5 and the checksum of the body', async () => {
    const { ETag, ChecksumCRC32, ChecksumType } = await put('hello');
    expect([ETag, ChecksumCRC32, ChecksumType]).toStrictEqual([
      helloEtag,
      'NhCmhg==',
      'FULL_OBJECT',
    ]);
  });

  it('keeps type, encoding, the other system headers and the user metadata', async () => {
    await put('hello', {
      ContentType: 'application/gzip',
      ContentEncoding: 'gzip',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment',
      ContentLanguage: 'en',
      Metadata: { run_id: 'r 1', Upper: 'case' },
    });
    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key }));
    expect({
      ContentType: head.ContentType,
      ContentEncoding: head.ContentEncoding,
      CacheControl: head.CacheControl,
      ContentDisposition: head.ContentDisposition,
      ContentLanguage: head.ContentLanguage,
      Metadata: head.Metadata,
      LastModified: head.LastModified,
      ContentLength: head.ContentLength,
    }).toStrictEqual({
      ContentType: 'application/gzip',
      ContentEncoding: 'gzip',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment',
      ContentLanguage: 'en',
      Metadata: { run_id: 'r 1', upper: 'case' },
      LastModified: storedTime,
      ContentLength: 5,
    });
  });

  it('stores an object without a type as binary/octet-stream', async () => {
    await rawCall(`${s3.url}/receipts/a`, { method: 'PUT', body: Buffer.from('x') });
    expect(s3.stand.getObject(Bucket, Key)?.contentType).toBe('binary/octet-stream');
  });

  it('refuses a second object under If-None-Match: * and keeps the first', async () => {
    await put('first', { IfNoneMatch: '*' });
    expect(await failureOf(put('second', { IfNoneMatch: '*' }))).toStrictEqual([
      'PreconditionFailed',
      412,
    ]);
    expect(s3.stand.getObject(Bucket, Key)?.body.toString()).toBe('first');
  });

  it('overwrites under If-Match only the object with that ETag', async () => {
    expect(await failureOf(put('x', { IfMatch: helloEtag }))).toStrictEqual(['NoSuchKey', 404]);
    await put('hello');
    expect(await failureOf(put('x', { IfMatch: '"0"' }))).toStrictEqual([
      'PreconditionFailed',
      412,
    ]);
    await put('changed', { IfMatch: helloEtag });
    expect(s3.stand.getObject(Bucket, Key)?.body.toString()).toBe('changed');
  });

  it('does not know If-None-Match with an ETag, as S3 does not', async () => {
    expect(await failureOf(put('x', { IfNoneMatch: helloEtag }))).toStrictEqual([
      'NotImplemented',
      501,
    ]);
  });

  it('refuses tags instead of losing them', async () => {
    expect(await failureOf(put('x', { Tagging: 'a=b' }))).toStrictEqual(['NotImplemented', 501]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([]);
  });

  it('refuses more than 2 KB of user metadata', async () => {
    await put('x', { Metadata: { k: 'v'.repeat(2047) } });
    expect(await failureOf(put('x', { Metadata: { k: 'v'.repeat(2048) } }))).toStrictEqual([
      'MetadataTooLarge',
      400,
    ]);
  });

  it('refuses a key of more than 1,024 bytes', async () => {
    const put = (key: string) =>
      s3.client.send(new PutObjectCommand({ Bucket, Key: key, Body: 'x' }));
    await put('é'.repeat(512));
    expect(await failureOf(put('é'.repeat(512) + 'x'))).toStrictEqual(['KeyTooLongError', 400]);
  });

  it('says NoSuchBucket for an unknown bucket', async () => {
    expect(await failureOf(put('x', { Bucket: 'nowhere' }))).toStrictEqual(['NoSuchBucket', 404]);
  });
});

describe('GetObject', () => {
  it('gives the body back with its checksum, which the SDK verifies', async () => {
    await put('hello');
    const { Body, ETag, ChecksumCRC32, AcceptRanges, LastModified } = await get();
    expect([
      await Body?.transformToString(),
      ETag,
      ChecksumCRC32,
      AcceptRanges,
      LastModified,
    ]).toStrictEqual(['hello', helloEtag, 'NhCmhg==', 'bytes', storedTime]);
  });

  it.each([
    ['bytes=1-3', 'ell', 'bytes 1-3/5'],
    ['bytes=3-', 'lo', 'bytes 3-4/5'],
    ['bytes=-2', 'lo', 'bytes 3-4/5'],
    ['bytes=-99', 'hello', 'bytes 0-4/5'],
    ['bytes=0-99', 'hello', 'bytes 0-4/5'],
    ['bytes=4-4', 'o', 'bytes 4-4/5'],
  ])('answers the range %s with 206 and %j', async (Range, text, contentRange) => {
    await put('hello');
    const answer = await get({ Range });
    expect([
      answer.$metadata.httpStatusCode,
      await answer.Body?.transformToString(),
      answer.ContentRange,
      answer.ContentLength,
      answer.ChecksumCRC32,
    ]).toStrictEqual([206, text, contentRange, text.length, undefined]);
  });

  it.each(['bytes=5-', 'bytes=7-9', 'bytes=-0'])('answers the range %s with 416', async (Range) => {
    await put('hello');
    expect(await failureOf(get({ Range }))).toStrictEqual(['InvalidRange', 416]);
  });

  it.each(['bytes=3-1', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=-'])(
    'ignores the range %s, as S3 does',
    async (Range) => {
      await put('hello');
      const answer = await get({ Range });
      expect([
        answer.$metadata.httpStatusCode,
        await answer.Body?.transformToString(),
      ]).toStrictEqual([200, 'hello']);
    },
  );

  it('answers any range of an empty object with 416', async () => {
    s3.stand.putObject(Bucket, Key, Buffer.alloc(0));
    expect(await failureOf(get({ Range: 'bytes=0-' }))).toStrictEqual(['InvalidRange', 416]);
    expect(await failureOf(get({ Range: 'bytes=-1' }))).toStrictEqual(['InvalidRange', 416]);
  });

  it.each([
    ['If-Match with its ETag', { IfMatch: helloEtag }, 200],
    ['If-Match with another ETag', { IfMatch: '"0"' }, 412],
    ['If-Match with its ETag in a list', { IfMatch: `"0", ${helloEtag}` }, 200],
    ['If-None-Match with its ETag', { IfNoneMatch: helloEtag }, 304],
    ['If-None-Match: *', { IfNoneMatch: '*' }, 304],
    ['If-None-Match with another ETag', { IfNoneMatch: '"0"' }, 200],
    ['If-Modified-Since its time', { IfModifiedSince: storedTime }, 304],
    ['If-Modified-Since before', { IfModifiedSince: new Date('2025-01-01') }, 200],
    ['If-Unmodified-Since its time', { IfUnmodifiedSince: storedTime }, 200],
    ['If-Unmodified-Since before', { IfUnmodifiedSince: new Date('2025-01-01') }, 412],
    [
      'a matching ETag that outweighs the date',
      { IfMatch: helloEtag, IfUnmodifiedSince: new Date('2025-01-01') },
      200,
    ],
    [
      'a different ETag that outweighs the date',
      { IfNoneMatch: '"0"', IfModifiedSince: storedTime },
      200,
    ],
  ])('judges %s', async (_, condition, expected) => {
    await put('hello');
    const status = await get(condition).then(
      (answer) => answer.$metadata.httpStatusCode,
      async (error: unknown) => (await failureOf(Promise.reject(error as Error)))[1],
    );
    expect(status).toBe(expected);
  });

  it('names a missing key and a missing bucket', async () => {
    expect(await failureOf(get())).toStrictEqual(['NoSuchKey', 404]);
    expect(await failureOf(get({ Bucket: 'nowhere' }))).toStrictEqual(['NoSuchBucket', 404]);
  });

  it('overrides headers where the request asks for it', async () => {
    await put('hello');
    const { ContentType, ContentDisposition } = await get({
      ResponseContentType: 'text/x',
      ResponseContentDisposition: 'inline',
    });
    expect([ContentType, ContentDisposition]).toStrictEqual(['text/x', 'inline']);
  });

  it('gives metadata that no header can hold as an encoded word', async () => {
    s3.stand.putObject(Bucket, Key, Buffer.from('x'), { metadata: { shop: 'Café €' } });
    const { Metadata } = await get();
    expect(Metadata).toStrictEqual({ shop: '=?UTF-8?B?Q2Fmw6kg4oKs?=' });
  });

  it('knows the version null alone', async () => {
    await put('hello');
    const { Body } = await get({ VersionId: 'null' });
    expect(await Body?.transformToString()).toBe('hello');
    expect(await failureOf(get({ VersionId: 'v1' }))).toStrictEqual(['InvalidArgument', 400]);
  });

  it('refuses to read by part number', async () => {
    await put('hello');
    expect(await failureOf(get({ PartNumber: 1 }))).toStrictEqual(['NotImplemented', 501]);
  });
});

describe('HeadObject', () => {
  const head = (options: Record<string, unknown> = {}) =>
    s3.client.send(new HeadObjectCommand({ Bucket, Key, ...options }));

  it('says the length, also that of a range', async () => {
    await put('hello');
    const whole = await head();
    const range = await head({ Range: 'bytes=1-2' });
    expect([whole.ContentLength, range.ContentLength, range.ContentRange]).toStrictEqual([
      5,
      2,
      'bytes 1-2/5',
    ]);
  });

  it('gives the checksum only where it is asked for', async () => {
    await put('hello');
    const plain = await head();
    const checked = await head({ ChecksumMode: 'ENABLED' });
    expect([plain.ChecksumCRC32, checked.ChecksumCRC32]).toStrictEqual([undefined, 'NhCmhg==']);
  });

  it('answers a missing key or bucket with 404 and no body', async () => {
    expect(await failureOf(head())).toStrictEqual(['NotFound', 404]);
    expect(await failureOf(head({ Bucket: 'nowhere' }))).toStrictEqual(['NotFound', 404]);
    const { status, headers } = await fetch(`${s3.url}/receipts/a`, { method: 'HEAD' });
    expect([status, headers.get('content-length')]).toStrictEqual([404, '0']);
  });

  it('answers a matching If-None-Match with 304', async () => {
    await put('hello');
    expect((await failureOf(head({ IfNoneMatch: helloEtag })))[1]).toBe(304);
  });
});

describe('DeleteObject', () => {
  const remove = (options: Record<string, unknown> = {}) =>
    s3.client.send(new DeleteObjectCommand({ Bucket, Key, ...options }));

  it('removes the object, and answers the same when there is none', async () => {
    await put('hello');
    const first = await remove();
    const second = await remove();
    expect([first.$metadata.httpStatusCode, second.$metadata.httpStatusCode]).toStrictEqual([
      204, 204,
    ]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([]);
  });

  it('removes under If-Match only the object with that ETag', async () => {
    await put('hello');
    expect(await failureOf(remove({ IfMatch: '"0"' }))).toStrictEqual(['PreconditionFailed', 412]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([Key]);
    await remove({ IfMatch: helloEtag });
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([]);
  });

  it('says NoSuchBucket for an unknown bucket', async () => {
    expect(await failureOf(remove({ Bucket: 'nowhere' }))).toStrictEqual(['NoSuchBucket', 404]);
  });
});

describe('DeleteObjects', () => {
  const remove = (objects: { Key: string; ETag?: string; VersionId?: string }[], Quiet = false) =>
    s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: objects, Quiet } }));

  it('removes each key, also those that need escaping, and reports missing ones as deleted', async () => {
    const keys = ['a&b<c>', ' é\n', 'left'];
    for (const key of keys) s3.stand.putObject(Bucket, key, Buffer.from('x'));
    const { Deleted, Errors } = await remove([
      { Key: 'a&b<c>' },
      { Key: ' é\n' },
      { Key: 'missing' },
    ]);
    expect([Deleted, Errors]).toStrictEqual([
      [{ Key: 'a&b<c>' }, { Key: ' é\n' }, { Key: 'missing' }],
      undefined,
    ]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual(['left']);
  });

  it('reports only errors when quiet, and deletes the rest', async () => {
    await put('hello');
    s3.stand.putObject(Bucket, 'b', Buffer.from('x'));
    const objects = [{ Key, ETag: '"0"' }, { Key: 'b' }, { Key: 'b', VersionId: 'v1' }];
    const { Deleted, Errors } = await remove(objects, true);
    expect([Deleted, Errors?.map((error) => [error.Key, error.Code])]).toStrictEqual([
      undefined,
      [
        ['a', 'PreconditionFailed'],
        ['b', 'NoSuchVersion'],
      ],
    ]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual(['a']);
  });

  it('takes 1,000 keys and no more', async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, at) => ({ Key: `k${at}` }));
    const { Deleted } = await remove(keys(1000));
    expect(Deleted?.length).toBe(1000);
    expect(await failureOf(remove(keys(1001)))).toStrictEqual(['MalformedXML', 400]);
  });

  it.each([
    ['no XML', 'nothing', 'MalformedXML'],
    ['an empty list', '<Delete></Delete>', 'MalformedXML'],
    ['an object without a key', '<Delete><Object/></Delete>', 'MalformedXML'],
    ['another document', '<Other><Object><Key>a</Key></Object></Other>', 'MalformedXML'],
  ])('refuses %s', async (_, body, code) => {
    const md5 = (await import('node:crypto')).createHash('md5').update(body).digest('base64');
    const headers = { 'content-md5': md5 };
    const answer = await rawCall(`${s3.url}/receipts?delete`, { method: 'POST', body, headers });
    expect([answer.status, answer.code]).toStrictEqual([400, code]);
  });

  it('demands a digest of the list', async () => {
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    const answer = await rawCall(`${s3.url}/receipts?delete`, { method: 'POST', body });
    expect([answer.status, answer.code]).toStrictEqual([400, 'InvalidRequest']);
  });
});
