import { CopyObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, type RunningS3, startS3, storedTime } from '../test_support.ts';

const source = 'from/a +%é';
const helloEtag = '"5d41402abc4b2a76b9719d911017c592"';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
  s3.stand.createBucket('copies');
  await s3.client.send(
    new PutObjectCommand({
      Bucket: 'receipts',
      Key: source,
      Body: 'hello',
      ContentType: 'text/plain',
      Metadata: { run: '1' },
    }),
  );
});
afterEach(async () => {
  await s3.stop();
});

const copy = (options: Record<string, unknown> = {}) =>
  s3.client.send(
    new CopyObjectCommand({
      Bucket: 'copies',
      Key: 'to',
      CopySource: `receipts/${encodeURIComponent(source)}`,
      ...options,
    }),
  );

describe('CopyObject', () => {
  it('copies bytes, type and metadata to another bucket', async () => {
    const { CopyObjectResult } = await copy();
    expect(CopyObjectResult).toStrictEqual({
      ETag: helloEtag,
      LastModified: storedTime,
      ChecksumCRC32: 'NhCmhg==',
      ChecksumType: 'FULL_OBJECT',
    });
    const { body, contentType, metadata } = s3.stand.getObject('copies', 'to') ?? {};
    expect([body?.toString(), contentType, metadata]).toStrictEqual([
      'hello',
      'text/plain',
      { run: '1' },
    ]);
  });

  it('replaces type and metadata where asked, also of the object itself', async () => {
    await copy({
      Bucket: 'receipts',
      Key: source,
      MetadataDirective: 'REPLACE',
      ContentType: 'text/x',
      Metadata: { run: '2' },
    });
    const { contentType, metadata } = s3.stand.getObject('receipts', source) ?? {};
    expect([contentType, metadata]).toStrictEqual(['text/x', { run: '2' }]);
  });

  it('refuses to copy an object to itself unchanged', async () => {
    expect(await failureOf(copy({ Bucket: 'receipts', Key: source }))).toStrictEqual([
      'InvalidRequest',
      400,
    ]);
  });

  it.each([
    ['a source without a key', { CopySource: 'receipts' }, 'InvalidArgument', 400],
    ['a missing source', { CopySource: '/receipts/none' }, 'NoSuchKey', 404],
    ['a missing source bucket', { CopySource: 'nowhere/a' }, 'NoSuchBucket', 404],
    ['a missing target bucket', { Bucket: 'nowhere' }, 'NoSuchBucket', 404],
    ['an unknown directive', { MetadataDirective: 'MERGE' }, 'InvalidArgument', 400],
    ['a source that does not match', { CopySourceIfMatch: '"0"' }, 'PreconditionFailed', 412],
    ['a source that matches', { CopySourceIfNoneMatch: helloEtag }, 'PreconditionFailed', 412],
    [
      'a source that is not newer',
      { CopySourceIfModifiedSince: storedTime },
      'PreconditionFailed',
      412,
    ],
  ])('refuses %s', async (_, options, name, status) => {
    expect(await failureOf(copy(options))).toStrictEqual([name, status]);
    expect(s3.stand.listKeys('copies', '')).toStrictEqual([]);
  });

  it('refuses an existing target under If-None-Match: *', async () => {
    await copy({ IfNoneMatch: '*' });
    expect(await failureOf(copy({ IfNoneMatch: '*' }))).toStrictEqual(['PreconditionFailed', 412]);
  });
});
