import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type ShardIteratorType,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb-streams';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../../tests/support/rejection.ts';
import { serve } from '../../http/server.ts';
import { DynamoDBStandIn } from '../dynamodb_stand_in.ts';
import { MAX_READ_RECORDS } from './shard.ts';

const TableName = 'rows';
const StreamArn =
  'arn:aws:dynamodb:us-east-1:000000000000:table/rows/stream/2026-01-01T00:00:00.000';
const HOUR = 3_600_000;

let now: number;
let stand: DynamoDBStandIn;
let dynamodb: DynamoDBClient;
let streams: DynamoDBStreamsClient;

beforeEach(async () => {
  now = Date.parse('2026-05-01T00:00:00.700Z');
  let ids = 0;
  stand = new DynamoDBStandIn({
    region: 'us-east-1',
    accountId: '000000000000',
    clock: () => new Date(now),
    newId: () => `00000000-0000-0000-0000-${String(++ids).padStart(12, '0')}`,
  });
  const server = await serve(stand.handle, 0);
  const settings = {
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
  dynamodb = new DynamoDBClient(settings);
  streams = new DynamoDBStreamsClient(settings);
  onTestFinished(async () => {
    dynamodb.destroy();
    streams.destroy();
    await server.close();
  });
});

const createTable = (viewType?: StreamViewType, name = TableName) =>
  dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'PK', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'PK', KeyType: 'HASH' }],
      ...(viewType && {
        StreamSpecification: { StreamEnabled: true, StreamViewType: viewType },
      }),
    }),
  );

const put = (PK: string, more: Record<string, { S: string } | { SS: string[] }> = {}) =>
  dynamodb.send(new PutItemCommand({ TableName, Item: { PK: { S: PK }, ...more } }));

const describeStream = () => streams.send(new DescribeStreamCommand({ StreamArn }));

const iterator = async (
  ShardId: string | undefined,
  ShardIteratorType: ShardIteratorType = 'TRIM_HORIZON',
  SequenceNumber?: string,
): Promise<string | undefined> => {
  const request = { StreamArn, ShardId, ShardIteratorType, SequenceNumber };
  return (await streams.send(new GetShardIteratorCommand(request))).ShardIterator;
};

const read = (ShardIterator: string | undefined, Limit?: number) =>
  streams.send(new GetRecordsCommand({ ShardIterator, Limit }));

const shardIds = async () => {
  const { StreamDescription } = await describeStream();
  return StreamDescription?.Shards?.map(({ ShardId }) => ShardId) ?? [];
};

/** The records of all shards, and the shard that has any. */
async function records() {
  const shards = await shardIds();
  const answers = await Promise.all(shards.map(async (id) => read(await iterator(id))));
  const all = answers.flatMap(({ Records = [] }) => Records);
  return { all, shard: shards[answers.findIndex(({ Records = [] }) => Records.length > 0)] };
}

describe('a table with a stream', () => {
  it('is described with it, and has its stream described', async () => {
    await createTable('NEW_IMAGE');
    await createTable(undefined, 'others');

    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    expect([
      Table?.StreamSpecification,
      Table?.LatestStreamArn,
      Table?.LatestStreamLabel,
    ]).toStrictEqual([
      { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      StreamArn,
      '2026-01-01T00:00:00.000',
    ]);
    const { Streams } = await streams.send(new ListStreamsCommand({}));
    expect(Streams).toStrictEqual([
      { StreamArn, StreamLabel: '2026-01-01T00:00:00.000', TableName },
    ]);
    const { Streams: none } = await streams.send(new ListStreamsCommand({ TableName: 'others' }));
    expect(none).toStrictEqual([]);
    const { StreamDescription } = await describeStream();
    expect(StreamDescription).toMatchObject({
      StreamArn,
      StreamStatus: 'ENABLED',
      StreamViewType: 'NEW_IMAGE',
      KeySchema: [{ AttributeName: 'PK', KeyType: 'HASH' }],
      CreationRequestDateTime: new Date(now),
    });
    expect(StreamDescription?.Shards).toHaveLength(4);
  });

  it('needs to know what its stream shows', async () => {
    const wrong = dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'PK', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'PK', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true },
      }),
    );
    expect(await rejection(wrong)).toMatchObject({ name: 'ValidationException' });
  });
});

describe('a write', () => {
  it('has a record of what it has made, changed or removed, in their order', async () => {
    await createTable('NEW_AND_OLD_IMAGES');
    await put('a', { text: { S: 'one' } });
    await dynamodb.send(
      new UpdateItemCommand({
        TableName,
        Key: { PK: { S: 'a' } },
        UpdateExpression: 'SET #t = :t',
        ExpressionAttributeNames: { '#t': 'text' },
        ExpressionAttributeValues: { ':t': { S: 'two' } },
      }),
    );
    await dynamodb.send(new DeleteItemCommand({ TableName, Key: { PK: { S: 'a' } } }));

    const { all } = await records();
    const [Keys, one, two] = [
      { PK: { S: 'a' } },
      { PK: { S: 'a' }, text: { S: 'one' } },
      { PK: { S: 'a' }, text: { S: 'two' } },
    ];
    const common = {
      ApproximateCreationDateTime: new Date('2026-05-01T00:00:00Z'),
      Keys,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    };
    expect(all).toStrictEqual(
      [
        {
          eventName: 'INSERT',
          dynamodb: { NewImage: one, SequenceNumber: '100000000000000000000001', SizeBytes: 13 },
        },
        {
          eventName: 'MODIFY',
          dynamodb: {
            NewImage: two,
            OldImage: one,
            SequenceNumber: '100000000000000000000002',
            SizeBytes: 23,
          },
        },
        {
          eventName: 'REMOVE',
          dynamodb: { OldImage: two, SequenceNumber: '100000000000000000000003', SizeBytes: 13 },
        },
      ].map(({ eventName, dynamodb }, at) => ({
        awsRegion: 'us-east-1',
        eventID: `${at + 1}`.padStart(32, '0'),
        eventName,
        eventSource: 'aws:dynamodb',
        eventVersion: '1.1',
        dynamodb: { ...common, ...dynamodb },
      })),
    );
  });

  it.each<[StreamViewType, string[]]>([
    ['KEYS_ONLY', []],
    ['NEW_IMAGE', ['NewImage']],
    ['OLD_IMAGE', ['OldImage']],
    ['NEW_AND_OLD_IMAGES', ['NewImage', 'OldImage']],
  ])('shows of %s the images %j', async (viewType, images) => {
    await createTable(viewType);
    await put('a', { text: { S: 'one' } });
    await put('a', { text: { S: 'two' } });
    const { all } = await records();
    expect(
      Object.keys(all[1]?.dynamodb ?? {}).filter((name) => name.endsWith('Image')),
    ).toStrictEqual(images);
  });

  it('that changes nothing has no record', async () => {
    await createTable('KEYS_ONLY');
    await put('a', { text: { S: 'one' }, words: { SS: ['x', 'y'] } });
    await put('a', { words: { SS: ['y', 'x'] }, text: { S: 'one' } });
    await dynamodb.send(
      new UpdateItemCommand({
        TableName,
        Key: { PK: { S: 'a' } },
        UpdateExpression: 'SET #t = :t',
        ExpressionAttributeNames: { '#t': 'text' },
        ExpressionAttributeValues: { ':t': { S: 'one' } },
      }),
    );
    await dynamodb.send(new DeleteItemCommand({ TableName, Key: { PK: { S: 'b' } } }));
    await rejection(
      dynamodb.send(
        new PutItemCommand({
          TableName,
          Item: { PK: { S: 'a' } },
          ConditionExpression: 'attribute_not_exists(PK)',
        }),
      ),
    );
    expect((await records()).all.map(({ eventName }) => eventName)).toStrictEqual(['INSERT']);
  });

  it('of a batch has one for each row, those of a row in one shard', async () => {
    await createTable('KEYS_ONLY');
    const keys = Array.from({ length: 25 }, (_, at) => `${at}`);
    for (const text of ['one', 'two']) {
      await dynamodb.send(
        new BatchWriteItemCommand({
          RequestItems: {
            [TableName]: keys.map((PK) => ({
              PutRequest: { Item: { PK: { S: PK }, text: { S: text } } },
            })),
          },
        }),
      );
    }
    const shards = await Promise.all(
      (await shardIds()).map(async (id) => (await read(await iterator(id))).Records ?? []),
    );
    const homes = new Map(
      shards.flatMap((found, at) => found.map((record) => [record.dynamodb?.Keys?.['PK']?.S, at])),
    );
    expect(homes.size).toBe(25);
    expect(new Set(homes.values()).size).toBe(4);
    for (const [at, found] of shards.entries()) {
      expect(found.map((record) => homes.get(record.dynamodb?.Keys?.['PK']?.S))).toStrictEqual(
        found.map(() => at),
      );
    }
    expect(shards.flat()).toHaveLength(50);
  });
});

describe('a shard', () => {
  const numbers = (answer: Awaited<ReturnType<typeof read>>) =>
    answer.Records?.map(({ dynamodb }) => dynamodb?.SequenceNumber?.at(-1)).join('');

  it('is read from where its iterator says, page by page', async () => {
    await createTable('KEYS_ONLY');
    for (const text of ['1', '2', '3']) await put('a', { text: { S: text } });
    const { all, shard } = await records();
    const second = all[1]?.dynamodb?.SequenceNumber;

    const first = await read(await iterator(shard), 2);
    const rest = await read(first.NextShardIterator);
    expect([numbers(first), numbers(rest)]).toStrictEqual(['12', '3']);
    expect(numbers(await read(await iterator(shard, 'AT_SEQUENCE_NUMBER', second)))).toBe('23');
    expect(numbers(await read(await iterator(shard, 'AFTER_SEQUENCE_NUMBER', second)))).toBe('3');
    const latest = await read(await iterator(shard, 'LATEST'));
    expect(numbers(latest)).toBe('');
    await put('a', { text: { S: '4' } });
    expect(numbers(await read(latest.NextShardIterator))).toBe('4');
  });

  it('is gone after a day', async () => {
    await createTable('KEYS_ONLY');
    await put('a', { text: { S: '1' } });
    now += 12 * HOUR;
    await put('a', { text: { S: '2' } });
    const { all, shard } = await records();
    now += 12 * HOUR - 60_000;
    const old = await iterator(shard);

    now += 60_000;
    expect(await rejection(read(old))).toMatchObject({ name: 'TrimmedDataAccessException' });
    const gone = all[0]?.dynamodb?.SequenceNumber;
    expect(await rejection(iterator(shard, 'AT_SEQUENCE_NUMBER', gone))).toMatchObject({
      name: 'TrimmedDataAccessException',
    });
    expect(numbers(await read(await iterator(shard)))).toBe('2');
  });

  it('keeps a bounded number of records, and what a mapping has not read', async () => {
    await createTable('KEYS_ONLY');
    const shard = stand.streams.all[0]?.shards[0];
    if (shard === undefined) throw new Error('no shard');
    const entry = {
      record: { dynamodb: { SequenceNumber: '1' } } as never,
      time: now,
      keyHash: 0,
    };
    const reader = { position: 10 };
    const release = shard.keepFor(reader);
    for (let at = 0; at < 55_001; at++) shard.append(entry);
    expect(shard.start).toBe(10);
    release();
    for (let at = 0; at < 10; at++) shard.append(entry);
    expect(shard.end - shard.start).toBe(MAX_READ_RECORDS);
  });

  it('has iterators that expire after 15 minutes', async () => {
    await createTable('KEYS_ONLY');
    const [shard] = await shardIds();
    const old = await iterator(shard);
    now += 15 * 60_000;
    expect(numbers(await read(old))).toBe('');
    now += 1;
    expect(await rejection(read(old))).toMatchObject({ name: 'ExpiredIteratorException' });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['an iterator of nobody', () => read('nothing'), 'ValidationException'],
    [
      'a limit of none',
      async () => read(await iterator((await shardIds())[0]), 0),
      'ValidationException',
    ],
    [
      'a shard that is not there',
      () => iterator('shardId-00000000000000000009-00000000'),
      'ResourceNotFoundException',
    ],
    [
      'a sequence number of nobody',
      async () => iterator((await shardIds())[0], 'AT_SEQUENCE_NUMBER', '1'.repeat(24)),
      'ValidationException',
    ],
    [
      'a stream that is not there',
      () => streams.send(new DescribeStreamCommand({ StreamArn: `${StreamArn}1` })),
      'ResourceNotFoundException',
    ],
  ])('answers as AWS does to %s', async (_, ask, name) => {
    await createTable('KEYS_ONLY');
    expect(await rejection(ask())).toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });
});
