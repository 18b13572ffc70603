import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type RunningServer, serve } from '../http/server.ts';
import { DynamoDBStandIn } from './dynamodb_stand_in.ts';

// Not proved here: AWS's own throughput, item collections, streams, TTL and point-in-time recovery; none of them is here.

const TableName = 'rows';
const INDEXES = {
  GSI1: ['GSI1PK', 'GSI1SK'],
  GSI2: ['GSI2PK', 'GSI2SK'],
  GSI3: ['GSI3PK', 'GSI3SK'],
  GSITYPE: ['TYPE'],
} as const;

let stand: DynamoDBStandIn;
let server: RunningServer;
let client: DynamoDBClient;

const keySchema = ([hash, range]: readonly (string | undefined)[]) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' as const }]),
];

const createTable = () =>
  client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['PK', 'SK', ...Object.values(INDEXES).flat()].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      KeySchema: keySchema(['PK', 'SK']),
      GlobalSecondaryIndexes: Object.entries(INDEXES).map(([IndexName, keys]) => ({
        IndexName,
        KeySchema: keySchema(keys),
        Projection: { ProjectionType: 'ALL' as const },
      })),
    }),
  );

beforeEach(async () => {
  stand = new DynamoDBStandIn({ region: 'us-east-1', accountId: '000000000000' });
  server = await serve(stand.handle, 0);
  client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  await createTable();
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

const LINE = {
  PK: 'IMAGE#1',
  SK: 'ORDER#00001#LINE#00001',
  TYPE: 'ORDER_LINE',
  GSI1PK: 'STATUS#NONE',
  GSI1SK: 'LINE#1',
  GSI2PK: 'ORDER',
  GSI2SK: 'IMAGE#1',
  GSI3PK: 'IMAGE#1#ORDER#00001',
  GSI3SK: 'LINE',
  text: 'SÜẞE MILCH 3.99',
  box: { x: -0.001, y: 0.123456789012345 },
  labels: new Set(['PRODUCT_NAME', 'PRICE']),
  nothing: null,
  is_noise: false,
};
const KEY = marshall({ PK: LINE.PK, SK: LINE.SK });

const put = (row: object) =>
  client.send(
    new PutItemCommand({ TableName, Item: marshall(row, { convertEmptyValues: false }) }),
  );
const get = async () => {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: KEY }));
  return Item === undefined ? undefined : unmarshall(Item);
};

describe('the table', () => {
  it('is there with its indexes as soon as it is created', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table?.TableStatus).toBe('ACTIVE');
    expect(
      Table?.GlobalSecondaryIndexes?.map(({ IndexName, IndexStatus }) => [IndexName, IndexStatus]),
    ).toStrictEqual(Object.keys(INDEXES).map((name) => [name, 'ACTIVE']));
  });

  it('gives back a row as it was put, every kind of value', async () => {
    await put(LINE);
    expect(await get()).toStrictEqual(LINE);
  });

  it('belongs to one stand-in: another knows nothing of it', async () => {
    const other = await serve(
      new DynamoDBStandIn({ region: 'us-east-1', accountId: '000000000000' }).handle,
      0,
    );
    const answer = new DynamoDBClient({
      endpoint: other.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }).send(new DescribeTableCommand({ TableName }));
    expect((await rejection(answer)).name).toBe('ResourceNotFoundException');
    await other.close();
  });
});

describe('an index', () => {
  it('shows the table as it was so many writes ago when it is told to lag, and the table shows itself', async () => {
    const line = (status: string, n = 1) => put({ ...LINE, SK: `LINE#${n}`, GSI1PK: status });
    const found = async (status: string) => {
      const { Count } = await client.send(
        new QueryCommand({
          TableName,
          IndexName: 'GSI1',
          KeyConditionExpression: 'GSI1PK = :status',
          ExpressionAttributeValues: marshall({ ':status': status }),
        }),
      );
      return Count;
    };
    await line('NONE');
    stand.lagIndexes(2);
    await line('SUCCESS');
    await line('NONE', 2);

    expect([await found('NONE'), await found('SUCCESS')]).toStrictEqual([1, 0]);
    expect((await client.send(new ScanCommand({ TableName }))).Count).toBe(2);

    await line('NONE', 3);

    expect([await found('NONE'), await found('SUCCESS')]).toStrictEqual([0, 1]);

    stand.lagIndexes(0);

    expect([await found('NONE'), await found('SUCCESS')]).toStrictEqual([2, 1]);
  });

  it.each(Object.entries(INDEXES))('%s gives whole rows by its keys', async (IndexName, keys) => {
    await put(LINE);
    await put({ PK: 'IMAGE#2', SK: 'ORDER#00001', other: 'row, in no index' });
    const values = keys.map((name) => LINE[name]);

    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        IndexName,
        KeyConditionExpression: keys.map((_, at) => `#k${at} = :v${at}`).join(' AND '),
        ExpressionAttributeNames: Object.fromEntries(keys.map((name, at) => [`#k${at}`, name])),
        ExpressionAttributeValues: marshall(
          Object.fromEntries(values.map((value, at) => [`:v${at}`, value])),
        ),
      }),
    );

    expect(Items.map((item) => unmarshall(item))).toStrictEqual([LINE]);
  });

  it('has no consistent reads', async () => {
    const asked = client.send(
      new QueryCommand({
        TableName,
        IndexName: 'GSITYPE',
        ConsistentRead: true,
        KeyConditionExpression: '#type = :type',
        ExpressionAttributeNames: { '#type': 'TYPE' },
        ExpressionAttributeValues: { ':type': { S: 'ORDER' } },
      }),
    );
    expect((await rejection(asked)).name).toBe('ValidationException');
  });
});

const setStatus = (to: string, condition: string, values: object) =>
  client.send(
    new UpdateItemCommand({
      TableName,
      Key: KEY,
      UpdateExpression: 'SET GSI1PK = :to',
      ConditionExpression: condition,
      ExpressionAttributeValues: marshall({ ':to': `STATUS#${to}`, ...values }),
    }),
  );

describe('a condition', () => {
  it('that holds lets the update through', async () => {
    await put(LINE);
    await setStatus('PENDING', 'GSI1PK = :from', { ':from': 'STATUS#NONE' });
    expect((await get())?.['GSI1PK']).toBe('STATUS#PENDING');
  });

  it('that does not hold is a ConditionalCheckFailedException, and nothing changes', async () => {
    await put(LINE);
    const update = setStatus('SUCCESS', 'GSI1PK = :from', { ':from': 'STATUS#PENDING' });

    expect(await rejection(update)).toMatchObject({
      name: 'ConditionalCheckFailedException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await get()).toStrictEqual(LINE);
  });

  it('on a row that is not there makes none', async () => {
    const update = setStatus('SUCCESS', 'attribute_exists(PK)', {});
    expect((await rejection(update)).name).toBe('ConditionalCheckFailedException');
    expect(await get()).toBeUndefined();
  });

  it('lets one of two writers insert a row', async () => {
    const insert = (text: string) =>
      client.send(
        new PutItemCommand({
          TableName,
          Item: marshall({ ...LINE, text }),
          ConditionExpression: 'attribute_not_exists(PK)',
        }),
      );

    const results = await Promise.allSettled([insert('one'), insert('two')]);

    expect(results.map(({ status }) => status).sort()).toStrictEqual(['fulfilled', 'rejected']);
  });
});

describe('a request that is wrong', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    [
      'about a table that does not exist',
      () => client.send(new GetItemCommand({ TableName: 'others', Key: KEY })),
      'ResourceNotFoundException',
    ],
    ['to create a table that exists', createTable, 'ResourceInUseException'],
    ['with a row without its key', () => put({ PK: 'IMAGE#1' }), 'ValidationException'],
    [
      'with more than 25 rows in a batch',
      () =>
        client.send(
          new BatchWriteItemCommand({
            RequestItems: {
              [TableName]: Array.from({ length: 26 }, (_, n) => ({
                PutRequest: { Item: marshall({ PK: 'IMAGE#1', SK: String(n) }) },
              })),
            },
          }),
        ),
      'ValidationException',
    ],
    [
      'with a row of more than 400 KB',
      () => put({ ...LINE, text: 'x'.repeat(400 * 1_024) }),
      'ValidationException',
    ],
    [
      'with an index that does not exist',
      () => client.send(new ScanCommand({ TableName, IndexName: 'GSI9' })),
      'ValidationException',
    ],
  ])('%s gets DynamoDB’s own error', async (_, ask, name) => {
    expect(await rejection(ask())).toMatchObject({
      name,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('with no signature gets DynamoDB’s own error', async () => {
    const answer = await fetch(server.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.ListTables',
      },
      body: '{}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('MissingAuthenticationTokenException');
  });
});

/** With the hash key IMAGE#1, two rows that dynalite's own index keys can't tell apart. */
const ALIKE = ['ROW#01700', 'ROW#04215'];

async function found(type: string, Limit?: number): Promise<string[]> {
  const rows: string[] = [];
  let from: Record<string, { S: string }> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName,
        IndexName: 'GSITYPE',
        KeyConditionExpression: '#type = :type',
        ExpressionAttributeNames: { '#type': 'TYPE' },
        ExpressionAttributeValues: { ':type': { S: type } },
        Limit,
        ExclusiveStartKey: from,
      }),
    );
    rows.push(...Items.map(({ SK }) => SK?.S ?? ''));
    from = LastEvaluatedKey as typeof from;
  } while (from !== undefined);
  return rows.sort();
}

describe('an index with rows under one key', () => {
  beforeEach(async () => {
    for (const SK of ALIKE) await put({ PK: 'IMAGE#1', SK, TYPE: 'OLD' });
  });

  it('holds every row', async () => {
    expect(await found('OLD')).toStrictEqual(ALIKE);
  });

  it('gives every row once, page by page', async () => {
    expect(await found('OLD', 1)).toStrictEqual(ALIKE);
  });

  it('loses the row that is deleted, and no other', async () => {
    await client.send(
      new DeleteItemCommand({
        TableName: 'rows',
        Key: { PK: { S: 'IMAGE#1' }, SK: { S: 'ROW#01700' } },
      }),
    );

    expect(await found('OLD')).toStrictEqual(['ROW#04215']);
  });

  it('moves the row whose key changes, and no other', async () => {
    await client.send(
      new UpdateItemCommand({
        TableName: 'rows',
        Key: { PK: { S: 'IMAGE#1' }, SK: { S: 'ROW#01700' } },
        UpdateExpression: 'SET #type = :type',
        ExpressionAttributeNames: { '#type': 'TYPE' },
        ExpressionAttributeValues: { ':type': { S: 'NEW' } },
      }),
    );

    expect([await found('OLD'), await found('NEW')]).toStrictEqual([['ROW#04215'], ['ROW#01700']]);
  });
});
