import {
  CreateBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, rawCall, type RunningS3, startS3, storedTime } from '../test_support.ts';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  await s3.stop();
});

const create = (Bucket: string, region?: string) =>
  s3.client.send(
    new CreateBucketCommand({
      Bucket,
      ...(region !== undefined && {
        CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' },
      }),
    }),
  );

describe('buckets', () => {
  it('are listed by name once created', async () => {
    await create('a-bucket');
    const { Buckets } = await s3.client.send(new ListBucketsCommand({}));
    expect(Buckets).toStrictEqual([
      { Name: 'a-bucket', CreationDate: storedTime, BucketRegion: 'us-east-1' },
      { Name: 'receipts', CreationDate: storedTime, BucketRegion: 'us-east-1' },
    ]);
  });

  it('are refused a second time', async () => {
    expect(await failureOf(create('receipts'))).toStrictEqual(['BucketAlreadyOwnedByYou', 409]);
  });

  it.each(['ab', 'Receipts', 'a..b', '-ab', 'ab-', 'a_b', '192.168.0.1', 'a'.repeat(64)])(
    'may not be called %s',
    async (name) => {
      expect(await failureOf(create(name))).toStrictEqual(['InvalidBucketName', 400]);
    },
  );

  it('say their region, and nothing for the oldest one', async () => {
    await create('in-ireland', 'eu-west-1');
    const locationOf = async (Bucket: string) =>
      (await s3.client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint;
    expect([await locationOf('in-ireland'), (await locationOf('receipts')) ?? '']).toStrictEqual([
      'eu-west-1',
      '',
    ]);
    const head = await s3.client.send(new HeadBucketCommand({ Bucket: 'in-ireland' }));
    expect(head.BucketRegion).toBe('eu-west-1');
  });

  it('that are unknown are answered with 404', async () => {
    expect(
      await failureOf(s3.client.send(new HeadBucketCommand({ Bucket: 'nowhere' }))),
    ).toStrictEqual(['NotFound', 404]);
    expect(
      await failureOf(s3.client.send(new GetBucketLocationCommand({ Bucket: 'nowhere' }))),
    ).toStrictEqual(['NoSuchBucket', 404]);
  });

  it('are not created from an unreadable configuration', async () => {
    const answer = await rawCall(`${s3.url}/new-bucket`, { method: 'PUT', body: '<Wrong/>' });
    expect([answer.status, answer.code]).toStrictEqual([400, 'MalformedXML']);
    expect(() => s3.stand.listKeys('new-bucket', '')).toThrow(
      'The specified bucket does not exist',
    );
  });
});
