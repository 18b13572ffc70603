import { ListObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, rawCall, type RunningS3, startS3, storedTime } from '../test_support.ts';

const Bucket = 'receipts';
const keys = ['a', 'b/1', 'b/2', 'b/c/3', 'c d+é', 'd'];
const etagOfX = '"9dd4e461268c8034f5c8564e155c67a6"';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
  for (const key of keys) s3.stand.putObject(Bucket, key, Buffer.from('x'));
});
afterEach(async () => {
  await s3.stop();
});

async function list(options: Record<string, unknown> = {}) {
  const answer = await s3.client.send(new ListObjectsV2Command({ Bucket, ...options }));
  const listed = {
    keys: answer.Contents?.map(({ Key }) => Key) ?? [],
    prefixes: answer.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
    count: answer.KeyCount,
    truncated: answer.IsTruncated,
  };
  return { ...listed, listed, answer };
}

describe('ListObjectsV2', () => {
  it('describes every object', async () => {
    const { answer } = await list({ Prefix: 'a' });
    expect(answer.Contents).toStrictEqual([
      { Key: 'a', ETag: etagOfX, Size: 1, LastModified: storedTime, StorageClass: 'STANDARD' },
    ]);
    expect([answer.Name, answer.Prefix, answer.MaxKeys, answer.KeyCount]).toStrictEqual([
      Bucket,
      'a',
      1000,
      1,
    ]);
  });

  it('names the owner where asked', async () => {
    const { answer } = await list({ Prefix: 'a', FetchOwner: true });
    expect(answer.Contents?.[0]?.Owner?.DisplayName).toBe('local');
  });

  it('lists the keys under a prefix', async () => {
    const { listed } = await list({ Prefix: 'b/' });
    expect(listed).toStrictEqual({
      keys: ['b/1', 'b/2', 'b/c/3'],
      prefixes: [],
      count: 3,
      truncated: false,
    });
  });

  it('rolls keys up behind the prefix', async () => {
    const top = await list({ Delimiter: '/' });
    const below = await list({ Delimiter: '/', Prefix: 'b/' });
    expect([top.keys, top.prefixes, top.count]).toStrictEqual([['a', 'c d+é', 'd'], ['b/'], 4]);
    expect([below.keys, below.prefixes, below.count]).toStrictEqual([['b/1', 'b/2'], ['b/c/'], 3]);
  });

  it('starts behind start-after, and leaves out the common prefix around it', async () => {
    const flat = await list({ StartAfter: 'b/1' });
    const rolled = await list({ StartAfter: 'b/1', Delimiter: '/' });
    expect([flat.keys, flat.answer.StartAfter]).toStrictEqual([
      ['b/2', 'b/c/3', 'c d+é', 'd'],
      'b/1',
    ]);
    expect([rolled.keys, rolled.prefixes]).toStrictEqual([['c d+é', 'd'], []]);
  });

  it('goes on from a continuation token, which outweighs start-after', async () => {
    const first = await list({ MaxKeys: 2, Delimiter: '/' });
    const ContinuationToken = first.answer.NextContinuationToken;
    const second = await list({ ContinuationToken, StartAfter: 'd', Delimiter: '/' });
    expect([first.keys, first.prefixes, first.truncated]).toStrictEqual([['a'], ['b/'], true]);
    expect([second.keys, second.prefixes, second.truncated]).toStrictEqual([
      ['c d+é', 'd'],
      [],
      false,
    ]);
    expect(second.answer.ContinuationToken).toBe(ContinuationToken);
  });

  it('says at the exact end that nothing follows', async () => {
    const { truncated, answer } = await list({ MaxKeys: keys.length });
    expect([truncated, answer.NextContinuationToken]).toStrictEqual([false, undefined]);
  });

  it('lists nothing for max-keys 0', async () => {
    const { listed } = await list({ MaxKeys: 0 });
    expect(listed).toStrictEqual({ keys: [], prefixes: [], count: 0, truncated: false });
  });

  it('serves 1,000 keys a page at most', async () => {
    for (let at = 0; at < 1001; at++) {
      s3.stand.putObject(Bucket, `many/${at}`, Buffer.alloc(0));
    }
    const { count, truncated } = await list({ Prefix: 'many/', MaxKeys: 5000 });
    expect([count, truncated]).toStrictEqual([1000, true]);
  });

  it('encodes names for encoding-type=url', async () => {
    const { keys: listed, answer } = await list({ Prefix: 'c ', EncodingType: 'url' });
    expect([listed, answer.Prefix, answer.EncodingType]).toStrictEqual([
      ['c+d%2B%C3%A9'],
      'c+',
      'url',
    ]);
  });

  it('sorts by UTF-8 bytes, where characters beyond U+FFFF come last', async () => {
    for (const key of ['z\u{1f600}', 'z\uffee', 'z']) {
      s3.stand.putObject(Bucket, key, Buffer.alloc(0));
    }
    const { keys: listed } = await list({ Prefix: 'z' });
    expect(listed).toStrictEqual(['z', 'z\uffee', 'z\u{1f600}']);
  });

  it.each([
    ['max-keys=-1'],
    ['max-keys=many'],
    ['encoding-type=xml'],
    ['continuation-token=nonsense'],
    ['continuation-token='],
    ['continuation-token=MWE!'],
  ])('refuses %s', async (query) => {
    const answer = await rawCall(`${s3.url}/receipts?list-type=2&${query}`, {});
    expect([answer.status, answer.code]).toStrictEqual([400, 'InvalidArgument']);
  });

  it('says NoSuchBucket for an unknown bucket', async () => {
    expect(await failureOf(list({ Bucket: 'nowhere' }))).toStrictEqual(['NoSuchBucket', 404]);
  });
});

describe('ListObjects, version 1', () => {
  const listV1 = (options: Record<string, unknown> = {}) =>
    s3.client.send(new ListObjectsCommand({ Bucket, ...options }));

  it('goes on from a marker and names the next one only with a delimiter', async () => {
    const flat = await listV1({ MaxKeys: 2, Marker: 'a' });
    expect([
      flat.Contents?.map(({ Key }) => Key),
      flat.IsTruncated,
      flat.Marker,
      flat.NextMarker,
    ]).toStrictEqual([['b/1', 'b/2'], true, 'a', undefined]);
    const rolled = await listV1({ MaxKeys: 2, Delimiter: '/' });
    expect([
      rolled.Contents?.map(({ Key }) => Key),
      rolled.CommonPrefixes,
      rolled.NextMarker,
    ]).toStrictEqual([['a'], [{ Prefix: 'b/' }], 'b/']);
    const rest = await listV1({ Marker: 'b/', Delimiter: '/' });
    expect([rest.Contents?.map(({ Key }) => Key), rest.CommonPrefixes]).toStrictEqual([
      ['c d+é', 'd'],
      undefined,
    ]);
  });

  it('names the owner of every object', async () => {
    const { Contents } = await listV1({ Prefix: 'a' });
    expect(Contents?.map(({ Owner }) => Owner?.DisplayName)).toStrictEqual(['local']);
  });
});
