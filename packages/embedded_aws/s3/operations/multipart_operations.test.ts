import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, rawCall, type RunningS3, startS3, storedTime } from '../test_support.ts';

const Bucket = 'receipts';
const Key = 'big file';
const fiveMiB = Buffer.alloc(5 * 1024 * 1024, 'a');
const tail = Buffer.from('tail');

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  await s3.stop();
});

async function create(options: Record<string, unknown> = {}): Promise<string> {
  const answer = await s3.client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ...options }),
  );
  return answer.UploadId ?? '';
}

async function upload(UploadId: string, PartNumber: number, Body: Buffer): Promise<CompletedPart> {
  const { ETag, ChecksumCRC32 } = await s3.client.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }),
  );
  return { PartNumber, ETag, ChecksumCRC32 };
}

const complete = (
  UploadId: string,
  Parts: CompletedPart[],
  options: Record<string, unknown> = {},
) =>
  s3.client.send(
    new CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      MultipartUpload: { Parts },
      ...options,
    }),
  );

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

function crc32Base64(bytes: Buffer): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
}

describe('a multipart upload', () => {
  it('becomes one object with the type and metadata of its creation', async () => {
    const id = await create({
      ContentType: 'text/plain',
      Metadata: { run: '1' },
      ChecksumAlgorithm: 'CRC32',
    });
    const second = await upload(id, 7, tail);
    const first = await upload(id, 2, fiveMiB);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([]);
    const done = await complete(id, [first, second]);

    const etag = `"${md5(Buffer.concat([md5(fiveMiB), md5(tail)])).toString('hex')}-2"`;
    const checksums = [fiveMiB, tail].map((part) => Buffer.from(crc32Base64(part), 'base64'));
    expect([done.ETag, done.Key, done.ChecksumCRC32, done.ChecksumType]).toStrictEqual([
      etag,
      Key,
      `${crc32Base64(Buffer.concat(checksums))}-2`,
      'COMPOSITE',
    ]);
    const { Body, ContentType, Metadata } = await s3.client.send(
      new GetObjectCommand({ Bucket, Key }),
    );
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect([bytes.equals(Buffer.concat([fiveMiB, tail])), ContentType, Metadata]).toStrictEqual([
      true,
      'text/plain',
      { run: '1' },
    ]);
  });

  it('has the checksum of the whole object where it was created so', async () => {
    const id = await create({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    const parts = [await upload(id, 1, fiveMiB), await upload(id, 2, tail)];
    const options = { ChecksumType: 'FULL_OBJECT' };
    expect(
      await failureOf(complete(id, parts, { ...options, ChecksumCRC32: 'AAAAAA==' })),
    ).toStrictEqual(['BadDigest', 400]);
    const whole = crc32Base64(Buffer.concat([fiveMiB, tail]));
    await complete(id, parts, { ...options, ChecksumCRC32: whole });
    const head = await s3.client.send(
      new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }),
    );
    expect([head.ChecksumCRC32, head.ChecksumType]).toStrictEqual([whole, 'FULL_OBJECT']);
  });

  it('is copied as an object of one piece, with neither its ETag nor its composite checksum', async () => {
    const id = await create({ ChecksumAlgorithm: 'CRC32' });
    await complete(id, [await upload(id, 1, tail)]);
    const { CopyObjectResult } = await s3.client.send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}` }),
    );
    expect(CopyObjectResult).toStrictEqual({
      ETag: `"${md5(tail).toString('hex')}"`,
      LastModified: storedTime,
    });
  });

  it('takes the newer of two parts with one number', async () => {
    const id = await create();
    const old = await upload(id, 1, Buffer.from('old'));
    const renewed = await upload(id, 1, Buffer.from('new'));
    expect(await failureOf(complete(id, [old]))).toStrictEqual(['InvalidPart', 400]);
    await complete(id, [renewed]);
    expect(s3.stand.getObject(Bucket, Key)?.body.toString()).toBe('new');
  });

  it('leaves out parts that are not listed', async () => {
    const id = await create();
    await upload(id, 1, Buffer.from('left out'));
    await complete(id, [await upload(id, 2, tail)]);
    expect(s3.stand.getObject(Bucket, Key)?.body.toString()).toBe('tail');
  });

  it('is not completed with a missing, a reordered, a repeated or a small part, and stays', async () => {
    const id = await create();
    const parts = [await upload(id, 1, tail), await upload(id, 2, tail)];
    const [first = {}, second = {}] = parts;
    expect(await failureOf(complete(id, [{ PartNumber: 3, ETag: '"0"' }]))).toStrictEqual([
      'InvalidPart',
      400,
    ]);
    expect(await failureOf(complete(id, [{ PartNumber: 1, ETag: '"0"' }]))).toStrictEqual([
      'InvalidPart',
      400,
    ]);
    expect(await failureOf(complete(id, [second, first]))).toStrictEqual(['InvalidPartOrder', 400]);
    expect(await failureOf(complete(id, [first, first]))).toStrictEqual(['InvalidPartOrder', 400]);
    expect(await failureOf(complete(id, parts))).toStrictEqual(['EntityTooSmall', 400]);
    expect(await failureOf(complete(id, [{ ...first, ChecksumCRC32: 'AAAAAA==' }]))).toStrictEqual([
      'InvalidPart',
      400,
    ]);
    await complete(id, [second]);
    expect(s3.stand.listKeys(Bucket, '')).toStrictEqual([Key]);
  });

  it('demands 5 MiB of every part but the last, to the byte', async () => {
    const id = await create();
    const short = await upload(id, 1, fiveMiB.subarray(1));
    const last = await upload(id, 2, tail);
    expect(await failureOf(complete(id, [short, last]))).toStrictEqual(['EntityTooSmall', 400]);
    await complete(id, [await upload(id, 1, fiveMiB), last]);
    expect(s3.stand.getObject(Bucket, Key)?.body.length).toBe(fiveMiB.length + tail.length);
  });

  it('is refused under If-None-Match: * when the object exists, and can still be aborted', async () => {
    s3.stand.putObject(Bucket, Key, Buffer.from('first'));
    const id = await create();
    const part = await upload(id, 1, tail);
    expect(await failureOf(complete(id, [part], { IfNoneMatch: '*' }))).toStrictEqual([
      'PreconditionFailed',
      412,
    ]);
    expect(s3.stand.getObject(Bucket, Key)?.body.toString()).toBe('first');
    await s3.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: id }));
    expect(await failureOf(complete(id, [part]))).toStrictEqual(['NoSuchUpload', 404]);
  });

  it('is gone once completed or aborted, and belongs to its key', async () => {
    const id = await create();
    const part = await upload(id, 1, tail);
    expect(await failureOf(complete(id, [part], { Key: 'other' }))).toStrictEqual([
      'NoSuchUpload',
      404,
    ]);
    await complete(id, [part]);
    expect(await failureOf(complete(id, [part]))).toStrictEqual(['NoSuchUpload', 404]);
    expect(await failureOf(upload(id, 1, tail))).toStrictEqual(['NoSuchUpload', 404]);
    const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId: id });
    expect(await failureOf(s3.client.send(abort))).toStrictEqual(['NoSuchUpload', 404]);
  });

  it.each([0, 10_001])('has no part %i', async (number) => {
    const id = await create();
    expect(await failureOf(upload(id, number, tail))).toStrictEqual(['InvalidArgument', 400]);
  });

  it('checks the digest of a part', async () => {
    const id = await create();
    const command = new UploadPartCommand({
      Bucket,
      Key,
      UploadId: id,
      PartNumber: 1,
      Body: 'x',
      ChecksumCRC32: 'AAAAAA==',
    });
    expect(await failureOf(s3.client.send(command))).toStrictEqual(['BadDigest', 400]);
  });

  it.each([
    ['an empty list', '<CompleteMultipartUpload/>'],
    [
      'a part without a number',
      '<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>',
    ],
    ['another document', '<Other><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></Other>'],
  ])('is not completed from %s', async (_, body) => {
    const id = await create();
    const url = `${s3.url}/receipts/${encodeURIComponent(Key)}?uploadId=${id}`;
    const answer = await rawCall(url, { method: 'POST', body });
    expect([answer.status, answer.code]).toStrictEqual([400, 'MalformedXML']);
  });

  it.each([
    ['algorithm', { ChecksumAlgorithm: 'CRC7' }],
    ['type', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'HALF' }],
  ])('is not created with an unknown checksum %s', async (_, options) => {
    expect(await failureOf(create(options))).toStrictEqual(['InvalidRequest', 400]);
  });
});

describe('ListParts', () => {
  it('lists the parts by number, page by page', async () => {
    const id = await create();
    const third = await upload(id, 3, Buffer.from('three'));
    const first = await upload(id, 1, Buffer.from('one'));
    const page = (marker?: string) =>
      s3.client.send(
        new ListPartsCommand({
          Bucket,
          Key,
          UploadId: id,
          MaxParts: 1,
          ...(marker !== undefined && { PartNumberMarker: marker }),
        }),
      );
    const one = await page();
    const two = await page(one.NextPartNumberMarker);
    const described = (part: CompletedPart, size: number) => ({
      ...part,
      Size: size,
      LastModified: storedTime,
    });
    expect([one.Parts, one.IsTruncated]).toStrictEqual([[described(first, 3)], true]);
    expect([two.Parts, two.IsTruncated]).toStrictEqual([[described(third, 5)], false]);
  });

  it('says NoSuchUpload for an unknown upload', async () => {
    const command = new ListPartsCommand({ Bucket, Key, UploadId: 'none' });
    expect(await failureOf(s3.client.send(command))).toStrictEqual(['NoSuchUpload', 404]);
  });
});

describe('ListMultipartUploads', () => {
  const list = async (options: Record<string, unknown> = {}) => {
    const answer = await s3.client.send(new ListMultipartUploadsCommand({ Bucket, ...options }));
    return {
      uploads: answer.Uploads?.map(({ Key, UploadId }) => [Key, UploadId]) ?? [],
      prefixes: answer.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
      next: [answer.NextKeyMarker, answer.NextUploadIdMarker],
      truncated: answer.IsTruncated,
    };
  };

  it('lists uploads by key, then by creation, page by page', async () => {
    const late = await create({ Key: 'b' });
    const early = await create({ Key: 'a' });
    const again = await create({ Key: 'a' });
    const first = await list({ MaxUploads: 1 });
    expect(first).toStrictEqual({
      uploads: [['a', early]],
      prefixes: [],
      next: ['a', early],
      truncated: true,
    });
    const rest = await list({ KeyMarker: 'a', UploadIdMarker: early });
    expect(rest.uploads).toStrictEqual([
      ['a', again],
      ['b', late],
    ]);
    expect((await list({ KeyMarker: 'a' })).uploads).toStrictEqual([['b', late]]);
  });

  it('rolls keys up and goes on behind a common prefix', async () => {
    for (const key of ['x/1/a', 'x/1/b', 'x/2', 'y']) await create({ Key: key });
    const { uploads, prefixes } = await list({ Prefix: 'x/', Delimiter: '/' });
    expect([uploads.map(([key]) => key), prefixes]).toStrictEqual([['x/2'], ['x/1/']]);
    const first = await list({ Prefix: 'x/', Delimiter: '/', MaxUploads: 1 });
    expect([first.prefixes, first.next[0], first.truncated]).toStrictEqual([
      ['x/1/'],
      'x/1/',
      true,
    ]);
    const second = await list({ Prefix: 'x/', Delimiter: '/', KeyMarker: 'x/1/' });
    expect([second.uploads.map(([key]) => key), second.prefixes]).toStrictEqual([['x/2'], []]);
  });

  it('says NoSuchBucket for an unknown bucket', async () => {
    expect(await failureOf(list({ Bucket: 'nowhere' }))).toStrictEqual(['NoSuchBucket', 404]);
  });
});
