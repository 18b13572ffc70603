import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningServer, serve } from '../http/server.ts';
import { DynamoDBStandIn } from './dynamodb_stand_in.ts';

/** With the hash key IMAGE#1, two rows that dynalite's own index keys can't tell apart. */
const ALIKE = ['ROW#01700', 'ROW#04215'];

let server: RunningServer;
let client: DynamoDBClient;

beforeEach(async () => {
  server = await serve(
    new DynamoDBStandIn({ region: 'us-east-1', accountId: '000000000000' }).handle,
    0,
  );
  client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const key = (name: string) => [{ AttributeName: name, KeyType: 'HASH' as const }];
  await client.send(
    new CreateTableCommand({
      TableName: 'rows',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['PK', 'SK', 'TYPE'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [...key('PK'), { AttributeName: 'SK', KeyType: 'RANGE' }],
      GlobalSecondaryIndexes: [
        { IndexName: 'GSITYPE', KeySchema: key('TYPE'), Projection: { ProjectionType: 'ALL' } },
      ],
    }),
  );
  for (const SK of ALIKE) {
    await client.send(
      new PutItemCommand({
        TableName: 'rows',
        Item: { PK: { S: 'IMAGE#1' }, SK: { S: SK }, TYPE: { S: 'OLD' } },
      }),
    );
  }
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

async function found(type: string, Limit?: number): Promise<string[]> {
  const rows: string[] = [];
  let from: Record<string, { S: string }> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: 'rows',
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

describe('an index with many rows under one key', () => {
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
