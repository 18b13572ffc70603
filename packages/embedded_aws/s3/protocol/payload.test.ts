import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ChecksumAlgorithm, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, rawCall, type RunningS3, startS3 } from '../test_support.ts';

const Bucket = 'receipts';
const Key = 'a';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  await s3.stop();
});

const put = (options: Record<string, unknown>) =>
  s3.client.send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...options }));

async function putRaw(body: string, headers: Record<string, string>) {
  const { status, code } = await rawCall(`${s3.url}/receipts/a`, { method: 'PUT', body, headers });
  return [status, code];
}

describe('digests of a body', () => {
  it.each<[ChecksumAlgorithm, string]>([
    ['CRC32', 'NhCmhg=='],
    ['SHA1', 'qvTGHdzF6KLavt4PO0gs2a6pQ00='],
    ['SHA256', 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='],
  ])('the SDK sends as %s are checked, kept and given back', async (algorithm, value) => {
    const stored = await put({ ChecksumAlgorithm: algorithm });
    const read = await s3.client.send(
      new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }),
    );
    const field = `Checksum${algorithm}` as 'ChecksumCRC32';
    expect([stored[field], read[field], await read.Body?.transformToString()]).toStrictEqual([
      value,
      value,
      'hello',
    ]);
  });

  it.each([
    ['ChecksumCRC32', 'AAAAAA=='],
    ['ChecksumSHA1', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ['ChecksumSHA256', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ['ContentMD5', 'AAAAAAAAAAAAAAAAAAAAAA=='],
  ])('are refused when %s is wrong, and nothing is stored', async (field, value) => {
    expect(await failureOf(put({ [field]: value }))).toStrictEqual(['BadDigest', 400]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([]);
  });

  it.each([
    ['x-amz-checksum-crc32c', 'AAAAAA=='],
    ['x-amz-checksum-crc64nvme', 'AAAAAAAAAAA='],
  ])('that Node cannot compute (%s) are kept as they came', async (name, value) => {
    expect(await putRaw('hello', { [name]: value })).toStrictEqual([200, undefined]);
    const read = await fetch(`${s3.url}/receipts/a`, {
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
    });
    expect([read.headers.get(name), read.headers.get('x-amz-checksum-type')]).toStrictEqual([
      value,
      'FULL_OBJECT',
    ]);
  });

  it.each([
    ['an MD5 that is none', { 'content-md5': 'short' }, 'InvalidDigest'],
    [
      'an MD5 with something behind it',
      { 'content-md5': `${createHash('md5').update('hello').digest('base64')}x` },
      'InvalidDigest',
    ],
    ['a checksum of a wrong length', { 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
    [
      'two checksums',
      { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      'InvalidRequest',
    ],
    [
      'a wrong signed digest',
      { 'x-amz-content-sha256': createHash('sha256').update('other').digest('hex') },
      'XAmzContentSHA256Mismatch',
    ],
  ])('are refused: %s', async (_, headers, code) => {
    expect(await putRaw('hello', headers as Record<string, string>)).toStrictEqual([400, code]);
  });

  it('are taken when they are right', async () => {
    const headers = {
      'content-md5': createHash('md5').update('hello').digest('base64'),
      'x-amz-content-sha256': createHash('sha256').update('hello').digest('hex'),
    };
    expect(await putRaw('hello', headers)).toStrictEqual([200, undefined]);
  });
});

describe('aws-chunked bodies', () => {
  it('that the SDK streams with a trailing checksum are stored decoded', async () => {
    const chunks = [Buffer.alloc(70_000, 'a'), Buffer.alloc(10, 'b')];
    const expected = Buffer.concat(chunks);
    await put({ Body: Readable.from(chunks), ContentLength: 70_010, ContentEncoding: 'gzip' });
    const object = s3.stand.getObject(Bucket, Key);
    expect(object?.body.equals(expected)).toBe(true);
    expect([object?.headers, object?.checksum?.algorithm]).toStrictEqual([
      { 'content-encoding': 'gzip' },
      'crc32',
    ]);
  });

  const signature = `;chunk-signature=${'0'.repeat(64)}`;
  const base = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '5' };
  const signed = { ...base, 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' };
  const signedTrailer = {
    ...base,
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'x-amz-trailer': 'x-amz-checksum-crc32',
  };
  const unsignedTrailer = {
    ...signedTrailer,
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  };

  it.each([
    [
      'signed chunks',
      `3${signature}\r\nhel\r\n2${signature}\r\nlo\r\n0${signature}\r\n\r\n`,
      signed,
    ],
    [
      'signed chunks with a trailer',
      `5${signature}\r\nhello\r\n0${signature}\r\nx-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:00\r\n\r\n`,
      signedTrailer,
    ],
    [
      'unsigned chunks with a trailer',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
      unsignedTrailer,
    ],
  ])('of %s are stored decoded, without their encoding', async (_, body, headers) => {
    expect(await putRaw(body, headers)).toStrictEqual([200, undefined]);
    const object = s3.stand.getObject(Bucket, Key);
    expect([object?.body.toString(), object?.headers]).toStrictEqual(['hello', {}]);
  });

  it.each([
    [
      'a wrong trailing checksum',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
      'BadDigest',
    ],
    ['a missing trailer', '5\r\nhello\r\n0\r\n\r\n', 'MalformedTrailerError'],
    [
      'a trailer without a colon',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\nnonsense\r\n\r\n',
      'MalformedTrailerError',
    ],
    [
      'a chunk longer than its size',
      '5\r\nhelloXX0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
      'IncompleteBody',
    ],
    ['a chunk shorter than its size', '9\r\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
    ['no last chunk', '5\r\nhello\r\n', 'IncompleteBody'],
    [
      'a size that is no number',
      '5x\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
      'IncompleteBody',
    ],
    [
      'another length than declared',
      '4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
      'IncompleteBody',
    ],
  ])('are refused for %s', async (_, body, code) => {
    expect(await putRaw(body, unsignedTrailer)).toStrictEqual([400, code]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([]);
  });
});

describe('a body of unknown length', () => {
  it('is refused with 411', async () => {
    const init = { method: 'PUT', body: new Blob(['x']).stream(), duplex: 'half' as const };
    const answer = await rawCall(`${s3.url}/receipts/a`, init);
    expect([answer.status, answer.code]).toStrictEqual([411, 'MissingContentLength']);
  });
});
