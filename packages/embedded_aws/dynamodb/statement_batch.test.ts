import {
  type AttributeValue,
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type RunningServer, serve } from '../http/server.ts';
import { DynamoDBStandIn } from './dynamodb_stand_in.ts';

// That another DynamoDB answers the same: tests/real/partiql.

const TableName = 'my.rows-dev';
let server: RunningServer;
let client: DynamoDBClient;

beforeAll(async () => {
  const stand = new DynamoDBStandIn({ region: 'us-east-1', accountId: '000000000000' });
  server = await serve(stand.handle, 0);
  client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const key = (AttributeName: string, KeyType: 'HASH' | 'RANGE') => ({ AttributeName, KeyType });
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['PK', 'SK', 'GSI1PK'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [key('PK', 'HASH'), key('SK', 'RANGE')],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'GSI1',
          KeySchema: [key('GSI1PK', 'HASH'), key('SK', 'RANGE')],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

const MILK = { PK: 'I#1', SK: 'L#1', text: 'MILK', status: 'NONE', GSI1PK: 'NONE', owner: 'b-1' };

beforeEach(() => client.send(new PutItemCommand({ TableName, Item: marshall(MILK) })));

async function stored(SK = 'L#1'): Promise<Record<string, unknown> | undefined> {
  const key = marshall({ PK: 'I#1', SK });
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: key }));
  return Item === undefined ? undefined : unmarshall(Item);
}

const S = (text: string): AttributeValue => ({ S: text });

const execute = (...Statements: BatchStatementRequest[]) =>
  client.send(new BatchExecuteStatementCommand({ Statements }));

/** Sets a status on these conditions beside the key. */
function update(
  conditions: string,
  parameters: readonly string[],
  { SK = 'L#1', ...options }: Partial<BatchStatementRequest> & { readonly SK?: string } = {},
): BatchStatementRequest {
  return {
    Statement: `UPDATE "${TableName}" SET status = ? SET GSI1PK = ? REMOVE owner WHERE PK = ? AND SK = ?${conditions}`,
    Parameters: ['DONE', 'DONE', 'I#1', SK, ...parameters].map(S),
    ...options,
  };
}

const DONE = { PK: 'I#1', SK: 'L#1', text: 'MILK', status: 'DONE', GSI1PK: 'DONE' };
const NOT_MET = { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' };

async function outcome(statement: BatchStatementRequest): Promise<unknown> {
  const { Responses = [] } = await execute(statement);
  return Responses[0]?.Error?.Code ?? 'done';
}

describe('a statement', () => {
  it('changes the row that its conditions name, in the table and its indexes', async () => {
    const { Responses } = await execute(update(' AND "text" = ? AND status = ?', ['MILK', 'NONE']));
    const { Items } = await client.send(
      new QueryCommand({
        TableName,
        IndexName: 'GSI1',
        KeyConditionExpression: 'GSI1PK = :done',
        ExpressionAttributeValues: { ':done': S('DONE') },
      }),
    );

    expect(Responses).toStrictEqual([{ TableName }]);
    expect(await stored()).toStrictEqual(DONE);
    expect(Items?.map((item) => unmarshall(item))).toStrictEqual([DONE]);
  });

  it.each([
    ['a value', ' AND status = ?', ['NONE'], true],
    ['another value', ' AND status = ?', ['DONE'], false],
    ['a value of another type', ' AND status = ? AND page = ?', ['NONE', '1'], false],
    ['a missing attribute', ' AND page IS MISSING', [], true],
    ['an attribute that is there', ' AND status IS MISSING', [], false],
    ['not missing', ' AND owner IS NOT MISSING', [], true],
    ['not missing, which it is', ' AND page IS NOT MISSING', [], false],
    ['all of several', ' AND owner IS NOT MISSING AND status = ?', ['DONE'], false],
  ])('holds its row to %s', async (_, conditions, parameters, holds) => {
    expect(await outcome(update(conditions, parameters))).toBe(
      holds ? 'done' : 'ConditionalCheckFailed',
    );
    expect(await stored()).toStrictEqual(holds ? DONE : MILK);
  });

  it('whose conditions are not met gives the row, if that is asked for', async () => {
    const wrong = (options: Partial<BatchStatementRequest>) =>
      update(' AND "text" = ?', ['MILKY'], options);

    const { Responses } = await execute(
      wrong({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
      wrong({ ReturnValuesOnConditionCheckFailure: 'NONE' }),
      wrong({}),
    );

    expect(Responses).toStrictEqual([
      { TableName, Error: { ...NOT_MET, Item: marshall(MILK) } },
      { TableName, Error: NOT_MET },
      { TableName, Error: NOT_MET },
    ]);
  });

  it('makes no row of one that does not exist', async () => {
    const missing = { SK: 'L#9', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

    const { Responses } = await execute(update('', [], missing));

    expect(Responses).toStrictEqual([{ TableName, Error: NOT_MET }]);
    expect(await stored('L#9')).toBeUndefined();
  });

  it.each<[string, BatchStatementRequest, string]>([
    [
      'of a table that does not exist',
      {
        ...update('', []),
        Statement: 'UPDATE "no" SET a = ? REMOVE b WHERE PK = ? AND SK = ? AND d = ?',
      },
      'ResourceNotFound',
    ],
    ['with too few parameters', update(' AND status = ?', []), 'ValidationError'],
    ['with too many', update('', ['NONE']), 'ValidationError'],
    [
      'of half a key',
      { Statement: `UPDATE "${TableName}" SET a = ? WHERE PK = ?`, Parameters: [S('1'), S('I#1')] },
      'ValidationError',
    ],
    [
      'that sets a key',
      {
        Statement: `UPDATE "${TableName}" SET SK = ? WHERE PK = ? AND SK = ?`,
        Parameters: [S('1'), S('I#1'), S('L#1')],
      },
      'ValidationError',
    ],
    [
      'that sets an index’s key to a number',
      {
        Statement: `UPDATE "${TableName}" SET GSI1PK = ? WHERE PK = ? AND SK = ?`,
        Parameters: [{ N: '1' }, S('I#1'), S('L#1')],
      },
      'ValidationError',
    ],
    [
      'with a number that is none',
      {
        Statement: `UPDATE "${TableName}" SET a = ? WHERE PK = ? AND SK = ?`,
        Parameters: [{ N: 'x' }, S('I#1'), S('L#1')],
      },
      'ValidationError',
    ],
  ])('%s has an error of its own', async (_, statement, code) => {
    expect(await outcome(statement)).toBe(code);
    expect(await stored()).toStrictEqual(MILK);
  });
});

describe('a batch of statements', () => {
  it('has an outcome for each, and none undoes another', async () => {
    const { Responses = [] } = await execute(
      update(' AND status = ?', ['NONE']),
      update('', [], { SK: 'L#9' }),
      // The first one was before it.
      update(' AND status = ?', ['DONE']),
    );

    expect(Responses.map(({ Error }) => Error?.Code)).toStrictEqual([
      undefined,
      'ConditionalCheckFailed',
      undefined,
    ]);
  });

  it('does not say what it consumes', async () => {
    const command = new BatchExecuteStatementCommand({
      Statements: [update('', [])],
      ReturnConsumedCapacity: 'TOTAL',
    });

    expect((await rejection(client.send(command))).message).toContain('returnConsumedCapacity');
    expect(await stored()).toStrictEqual(MILK);
  });

  it.each([0, 26])('of %d is refused', async (count) => {
    const statements = Array.from({ length: count }, () => update('', []));

    expect((await rejection(execute(...statements))).name).toBe('ValidationException');
    expect(await stored()).toStrictEqual(MILK);
  });

  it.each([
    'SELECT * FROM "rows" WHERE PK = ? AND SK = ?',
    'INSERT INTO "rows" VALUE {\'PK\': ?}',
    'DELETE FROM "rows" WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a = ?',
    'UPDATE "rows" WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a = 1 WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a = \'x\' WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a.b = ? WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a = ?, b = ? WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a = ? SET a = ? WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a = ? REMOVE a WHERE PK = ? AND SK = ?',
    'UPDATE "rows" REMOVE a SET b = ? WHERE PK = ? AND SK = ?',
    'UPDATE "rows" SET a = ? WHERE PK = ? AND SK = ? OR b = ?',
    'UPDATE "rows" SET a = ? WHERE PK = ? AND SK = ? AND b > ?',
    'UPDATE "rows" SET a = ? WHERE PK = ? AND SK = ? AND b IS NULL',
    'UPDATE "rows" SET a = ? WHERE PK = ? AND SK = ? AND b = ? AND b = ?',
    'UPDATE "rows" SET a = ? WHERE PK = ? AND SK = ? RETURNING ALL OLD *',
    'UPDATE "rows" SET a = ? WHERE PK = ? AND SK = ? AND',
    'UPDATE "rows" SET set = ? WHERE PK = ? AND SK = ?',
    'UPDATE rows-dev SET a = ? WHERE PK = ? AND SK = ?',
  ])('with a statement of another kind is refused whole, and told which: %s', async (Statement) => {
    const error = await rejection(execute(update('', []), { Statement, Parameters: [S('1')] }));

    expect(error.name).toBe('NotImplemented');
    expect(error.message).toContain(`does not take the statement ${Statement} – only UPDATE`);
    expect(await stored()).toStrictEqual(MILK);
  });
});
