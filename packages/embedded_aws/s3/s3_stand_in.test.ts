import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type ChecksumAlgorithm,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, rawCall, type RunningS3, startS3, storedTime } from './test_support.ts';

const Bucket = 'files';
const Key = 'a';
/** The MD5 of `hello`, quoted. */
const HELLO = '"5d41402abc4b2a76b9719d911017c592"';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  await s3.stop();
});

const put = (body: string, options: Record<string, unknown> = {}) =>
  s3.client.send(new PutObjectCommand({ Bucket, Key, Body: body, ...options }));
const get = (options: Record<string, unknown> = {}) =>
  s3.client.send(new GetObjectCommand({ Bucket, Key, ...options }));
const head = (options: Record<string, unknown> = {}) =>
  s3.client.send(new HeadObjectCommand({ Bucket, Key, ...options }));
const remove = (options: Record<string, unknown> = {}) =>
  s3.client.send(new DeleteObjectCommand({ Bucket, Key, ...options }));
const keys = (): string[] => s3.stand.listKeys(Bucket, '');

describe('the versions of a bucket without versioning', () => {
  const list = (options: Record<string, unknown> = {}) =>
    s3.client.send(new ListObjectVersionsCommand({ Bucket, ...options }));

  it('are one of each object, page by page, and the only one that can be deleted', async () => {
    for (const key of ['a/1', 'a/2', 'b']) {
      await s3.client.send(new PutObjectCommand({ Bucket, Key: key, Body: 'hello' }));
    }

    const first = await list({ Prefix: 'a/', MaxKeys: 1 });
    const second = await list({
      Prefix: 'a/',
      KeyMarker: first.NextKeyMarker,
      VersionIdMarker: first.NextVersionIdMarker,
    });

    const version = { VersionId: 'null', IsLatest: true, Size: 5, ETag: HELLO };
    expect(first).toMatchObject({ IsTruncated: true, Versions: [{ Key: 'a/1', ...version }] });
    expect(second).toMatchObject({ IsTruncated: false, Versions: [{ Key: 'a/2', ...version }] });
    expect(second.DeleteMarkers).toBeUndefined();
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a/1', VersionId: 'null' }));
    expect(keys()).toStrictEqual(['a/2', 'b']);
    expect(await failureOf(remove({ VersionId: 'v1' }))).toStrictEqual(['NotImplemented', 501]);
  });
});

describe('an object', () => {
  it('comes back with all that was said of it', async () => {
    const description = {
      ContentType: 'application/gzip',
      ContentEncoding: 'gzip',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment',
      ContentLanguage: 'en',
      Metadata: { run_id: 'r 1' },
    };
    expect(await put('hello', description)).toMatchObject({
      ETag: HELLO,
      ChecksumCRC32: 'NhCmhg==',
      ChecksumType: 'FULL_OBJECT',
    });
    const { Body, ...answer } = await get();
    expect(await Body?.transformToString()).toBe('hello');
    const said = { ...description, ETag: HELLO, LastModified: storedTime, ContentLength: 5 };
    expect(answer).toMatchObject({ ...said, ChecksumCRC32: 'NhCmhg==' });
    expect(await head()).toMatchObject(said);
  });

  it('has S3’s own type without one, and metadata that no header can hold as an encoded word', async () => {
    const headers = { 'x-amz-meta-shop': Buffer.from('Café').toString('latin1') };
    await rawCall(`${s3.url}/files/a`, { method: 'PUT', body: Buffer.from('x'), headers });
    expect(await head()).toMatchObject({
      ContentType: 'binary/octet-stream',
      Metadata: { shop: expect.stringMatching(/^=\?UTF-8\?B\?/) as string },
    });
  });

  it('is gone once it is deleted; to delete it again is no error', async () => {
    await put('hello');
    const answers = [await remove(), await remove()];
    expect(answers.map(({ $metadata }) => $metadata.httpStatusCode)).toStrictEqual([204, 204]);
    expect(keys()).toStrictEqual([]);
  });

  it('is told apart by every slash, plus and percent sign of its key', async () => {
    const paths = ['/files//a', '/files/a+b', '/files/%252F', '/files/a//b/'];
    for (const key of ['/a', 'a+b', '%2F', 'a//b/']) s3.stand.putObject(Bucket, key, Buffer.of());
    const others = ['/files/a', '/files/a%20b', '/files/%2F', '/files/a/b/'];
    const status = async (path: string) => (await rawCall(s3.url + path, {})).status;
    expect(await Promise.all(paths.map(status))).toStrictEqual([200, 200, 200, 200]);
    expect(await Promise.all(others.map(status))).toStrictEqual([404, 404, 404, 404]);
  });

  it.each([
    ['bytes=1-3', 'ell', 'bytes 1-3/5'],
    ['bytes=3-', 'lo', 'bytes 3-4/5'],
    ['bytes=-2', 'lo', 'bytes 3-4/5'],
    ['bytes=-99', 'hello', 'bytes 0-4/5'],
    ['bytes=0-99', 'hello', 'bytes 0-4/5'],
    // What S3 ignores.
    ['bytes=3-1', 'hello', undefined],
    ['bytes=0-1,3-4', 'hello', undefined],
    ['lines=0-1', 'hello', undefined],
  ])('is read in the range %s', async (Range, text, ContentRange) => {
    await put('hello');
    const answer = await get({ Range });
    expect(await answer.Body?.transformToString()).toBe(text);
    expect([answer.ContentRange, answer.ContentLength]).toStrictEqual([ContentRange, text.length]);
  });

  it.each([
    ['a write, if none exists, first', () => put('x', { IfNoneMatch: '*' }), 200],
    ['a write of what exists, if none does', () => put('x', { Key: 'b', IfNoneMatch: '*' }), 412],
    ['a write of what is as said', () => put('x', { Key: 'b', IfMatch: HELLO }), 200],
    ['a write of what has changed', () => put('x', { Key: 'b', IfMatch: '"0"' }), 412],
    ['a write of what does not exist', () => put('x', { IfMatch: HELLO }), 404],
    ['a write unless it is as said', () => put('x', { IfNoneMatch: HELLO }), 501],
    ['a deletion of what is as said', () => remove({ Key: 'b', IfMatch: HELLO }), 204],
    ['a deletion of what has changed', () => remove({ Key: 'b', IfMatch: '"0"' }), 412],
    ['a read of what is as said', () => get({ Key: 'b', IfMatch: `"0", ${HELLO}` }), 200],
    ['a read of what has changed', () => get({ Key: 'b', IfMatch: '"0"' }), 412],
    ['a read of what has not changed', () => get({ Key: 'b', IfNoneMatch: HELLO }), 304],
    ['a read by date', () => get({ Key: 'b', IfModifiedSince: storedTime }), 501],
  ])('is judged by conditions: %s', async (_, ask, expected) => {
    await put('hello', { Key: 'b' });
    const status = await ask().then(
      (answer) => answer.$metadata.httpStatusCode,
      async (error: unknown) => (await failureOf(Promise.reject(error as Error)))[1],
    );
    expect(status).toBe(expected);
    if (expected >= 400) expect(s3.stand.getObject(Bucket, 'b')?.body.toString()).toBe('hello');
  });
});

describe('an error', () => {
  it.each<[string, () => Promise<unknown>, string, number]>([
    ['an unknown key', () => get(), 'NoSuchKey', 404],
    ['an unknown key of HEAD', () => head(), 'NotFound', 404],
    ['an unknown bucket', () => get({ Bucket: 'nowhere' }), 'NoSuchBucket', 404],
    ['a write to one', () => put('x', { Bucket: 'nowhere' }), 'NoSuchBucket', 404],
    [
      'a key of 1,025 bytes',
      () => put('x', { Key: `${'é'.repeat(512)}x` }),
      'KeyTooLongError',
      400,
    ],
    [
      '2,049 bytes of metadata',
      () => put('', { Metadata: { k: 'v'.repeat(2048) } }),
      'MetadataTooLarge',
      400,
    ],
    ['tags', () => put('x', { Tagging: 'a=b' }), 'NotImplemented', 501],
    ['a version', () => get({ VersionId: 'v1' }), 'NotImplemented', 501],
    ['a wrong CRC32', () => put('hello', { ChecksumCRC32: 'AAAAAA==' }), 'BadDigest', 400],
    [
      'a wrong MD5',
      () => put('hello', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }),
      'BadDigest',
      400,
    ],
  ])('is the answer to %s', async (_, ask, name, status) => {
    expect(await failureOf(ask())).toStrictEqual([name, status]);
    expect(keys()).toStrictEqual([]);
  });

  it('is InvalidRange for a range outside of the object', async () => {
    await put('hello');
    for (const Range of ['bytes=5-', 'bytes=-0']) {
      expect(await failureOf(get({ Range }))).toStrictEqual(['InvalidRange', 416]);
    }
  });

  it.each([
    ['GET', '/', 'ListBuckets'],
    ['GET', '/files', 'ListObjects'],
    ['PUT', '/other', 'CreateBucket'],
    ['HEAD', '/files', undefined],
    ['GET', '/files?versioning', 'GetBucketVersioning'],
    ['POST', '/files?delete', 'DeleteObjects'],
    ['POST', '/files/a?uploads', 'CreateMultipartUpload'],
    ['PUT', '/files/a?partNumber=1&uploadId=u', 'UploadPart'],
    ['GET', '/files/a?acl', 'GetObjectAcl'],
    ['PATCH', '/files/a', 'PatchObject'],
  ])('names the operation that does not exist here: %s %s', async (method, path, operation) => {
    const { status, text } = await rawCall(s3.url + path, { method });
    const message = /<Message>(.*)<\/Message>/.exec(text)?.[1];
    const named = operation && `${operation} is not implemented by the embedded AWS.`;
    expect([status, message]).toStrictEqual([501, named]);
  });

  it('escapes what it repeats', async () => {
    const { text } = await rawCall(`${s3.url}/files/a%20%26b`, {});
    expect(text).toContain('<Code>NoSuchKey</Code>');
    expect(text).toContain('<Key>a &amp;b</Key>');
  });
});

describe('a body', () => {
  async function putRaw(body: string, headers: Record<string, string>) {
    const { status, code } = await rawCall(`${s3.url}/files/a`, {
      method: 'PUT',
      body,
      headers,
    });
    return [status, code];
  }

  it.each<[ChecksumAlgorithm, string]>([
    ['CRC32', 'NhCmhg=='],
    ['SHA256', 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='],
  ])('is stored with its %s', async (ChecksumAlgorithm, value) => {
    await put('hello', { ChecksumAlgorithm });
    expect(await get()).toMatchObject({ [`Checksum${ChecksumAlgorithm}`]: value });
  });

  it('has the checksum that the AWS CLI sends, which Node cannot compute', async () => {
    const sent = { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' };
    expect(await putRaw('hello', sent)).toStrictEqual([200, undefined]);
    expect(s3.stand.getObject(Bucket, Key)?.checksum).toStrictEqual({
      algorithm: 'crc64nvme',
      value: 'AAAAAAAAAAA=',
    });
  });

  it('that the SDK streams with a trailing checksum is stored decoded', async () => {
    const chunks = [Buffer.alloc(70_000, 'a'), Buffer.alloc(10, 'b')];
    await s3.client.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: Readable.from(chunks),
        ContentLength: 70_010,
        ContentEncoding: 'gzip',
      }),
    );
    const object = s3.stand.getObject(Bucket, Key);
    expect(object?.body.equals(Buffer.concat(chunks))).toBe(true);
    expect([object?.headers, object?.checksum?.algorithm]).toStrictEqual([
      { 'content-encoding': 'gzip' },
      'crc32',
    ]);
  });

  const TRAILER = {
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '5',
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-trailer': 'x-amz-checksum-crc32',
  };

  it('of signed chunks is stored decoded, without their encoding', async () => {
    const signature = `;chunk-signature=${'0'.repeat(64)}`;
    const body = `3${signature}\r\nhel\r\n2${signature}\r\nlo\r\n0${signature}\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n`;
    const sent = {
      ...TRAILER,
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    };
    expect(await putRaw(body, sent)).toStrictEqual([200, undefined]);
    const object = s3.stand.getObject(Bucket, Key);
    expect([object?.body.toString(), object?.headers]).toStrictEqual(['hello', {}]);
  });

  it.each<[string, string, Record<string, string>, string]>([
    [
      'a wrong signed digest',
      'hello',
      { 'x-amz-content-sha256': createHash('sha256').digest('hex') },
      'XAmzContentSHA256Mismatch',
    ],
    ['a checksum of a wrong length', 'hello', { 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
    [
      'two checksums',
      'hello',
      { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      'InvalidRequest',
    ],
    [
      'a wrong trailing checksum',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
      TRAILER,
      'BadDigest',
    ],
    ['a missing trailer', '5\r\nhello\r\n0\r\n\r\n', TRAILER, 'MalformedTrailerError'],
    ['a chunk longer than its size', '5\r\nhelloXX0\r\n\r\n', TRAILER, 'IncompleteBody'],
    ['no last chunk', '5\r\nhello\r\n', TRAILER, 'IncompleteBody'],
    [
      'another length than declared',
      '4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
      TRAILER,
      'IncompleteBody',
    ],
  ])('is refused for %s', async (_, body, headers, code) => {
    expect(await putRaw(body, headers)).toStrictEqual([400, code]);
    expect(keys()).toStrictEqual([]);
  });

  it('of unknown length is refused', async () => {
    const init = { method: 'PUT', body: new Blob(['x']).stream(), duplex: 'half' as const };
    expect((await rawCall(`${s3.url}/files/a`, init)).code).toBe('MissingContentLength');
  });
});

describe('ListObjectsV2', () => {
  const list = (options: Record<string, unknown> = {}) =>
    s3.client.send(new ListObjectsV2Command({ Bucket, ...options }));

  it('describes every object', async () => {
    await put('hello');
    const answer = await list({ Prefix: 'a' });
    expect(answer.Contents).toStrictEqual([
      { Key: 'a', ETag: HELLO, Size: 5, LastModified: storedTime, StorageClass: 'STANDARD' },
    ]);
    expect(answer).toMatchObject({ Name: Bucket, Prefix: 'a', MaxKeys: 1000, KeyCount: 1 });
  });

  it('starts behind start-after, leaves out the common prefix around it, and encodes names', async () => {
    for (const key of ['a', 'b/1', 'b/2', 'c d+é']) s3.stand.putObject(Bucket, key, Buffer.of());
    const { Contents, CommonPrefixes } = await list({
      StartAfter: 'b/1',
      Delimiter: '/',
      EncodingType: 'url',
    });
    expect([Contents?.map((object) => object.Key), CommonPrefixes]).toStrictEqual([
      ['c+d%2B%C3%A9'],
      undefined,
    ]);
  });

  it('serves 1,000 keys a page at most, and none for max-keys 0', async () => {
    for (let at = 0; at < 1001; at++) s3.stand.putObject(Bucket, `many/${at}`, Buffer.of());
    expect(await list({ MaxKeys: 5000 })).toMatchObject({ KeyCount: 1000, IsTruncated: true });
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it.each(['max-keys=-1', 'max-keys=many', 'encoding-type=xml', 'continuation-token=MWE!'])(
    'refuses %s',
    async (query) => {
      const { status, code } = await rawCall(`${s3.url}/files?list-type=2&${query}`, {});
      expect([status, code]).toStrictEqual([400, 'InvalidArgument']);
    },
  );

  /** Few letters, so that prefixes and delimiters meet; two of them sort differently in UTF-16. */
  const key = fc.string({
    unit: fc.constantFrom('a', 'b', '/', ' ', '+', '&', '\uffee', '\u{1f600}'),
    minLength: 1,
    maxLength: 6,
  });
  const listing = fc.record({
    stored: fc.uniqueArray(key, { maxLength: 30 }),
    Prefix: fc.constantFrom('', 'a', '/', 'a/', '\uffee'),
    Delimiter: fc.constantFrom('', '/', 'a', '//'),
    MaxKeys: fc.integer({ min: 1, max: 12 }),
  });

  it('lists every key and common prefix once and in order, whatever the page', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(listing, async ({ stored, ...query }) => {
        const bucket = `bucket-${++run}`;
        s3.stand.createBucket(bucket);
        for (const name of stored) s3.stand.putObject(bucket, name, Buffer.of());
        const listed: string[] = [];
        let token: string | undefined;
        do {
          const page = await list({ Bucket: bucket, ...query, ContinuationToken: token });
          listed.push(
            ...(page.Contents ?? []).map((object) => object.Key ?? ''),
            ...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => `${Prefix}…`),
          );
          token = page.NextContinuationToken;
        } while (token !== undefined);
        const { Prefix, Delimiter } = query;
        const expected = stored
          .filter((name) => name.startsWith(Prefix))
          .map((name) => {
            const cut = Delimiter === '' ? -1 : name.indexOf(Delimiter, Prefix.length);
            return cut < 0 ? name : `${name.slice(0, cut)}${Delimiter}…`;
          });
        expect(listed.sort()).toStrictEqual([...new Set(expected)].sort());
      }),
      { numRuns: 60 },
    );
  });
});

describe('direct access', () => {
  it('stores a copy of the body, and lists keys in the order of UTF-8', () => {
    const body = Buffer.from('hello');
    for (const key of ['p/\u{1f600}', 'p/\uffee', 'q']) s3.stand.putObject(Bucket, key, body);
    body.fill('x');
    expect(s3.stand.getObject(Bucket, 'q')).toMatchObject({ body: Buffer.from('hello') });
    expect(s3.stand.listKeys(Bucket, 'p/')).toStrictEqual(['p/\uffee', 'p/\u{1f600}']);
  });

  it('throws for an unknown bucket and for one that exists already', () => {
    expect(() => s3.stand.getObject('nowhere', 'a')).toThrow('The specified bucket does not exist');
    expect(() => {
      s3.stand.createBucket(Bucket);
    }).toThrow('you already own it');
  });
});
