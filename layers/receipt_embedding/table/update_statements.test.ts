import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  BatchExecuteStatementCommand,
  BatchStatementErrorCodeEnum,
  BatchStatementRequest,
  BatchStatementResponse,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { changeRow, changeRows, type RowChange } from './update_statements.ts';

// What DynamoDB makes of the statements: packages/embedded_aws/dynamodb, and tests/real/partiql for the embedded DynamoDB itself.

const changeOf = (SK: string): RowChange => ({
  key: { PK: 'IMAGE#1', SK },
  set: { embedding_status: 'SUCCESS', GSI1PK: 'EMBEDDING_STATUS#SUCCESS' },
  remove: ['embedding_batch_id'],
  where: { text: 'MILK', embedding_status: 'NONE' },
});
const SIXTY = Array.from({ length: 60 }, (_, at) => changeOf(`LINE#${at}`));

const skOf = ({ Parameters = [] }: BatchStatementRequest): string => Parameters[3]?.S ?? '';

/** A table that answers each statement by itself, and remembers which came in which request. */
function answering(answer: (SK: string, time: number) => BatchStatementResponse['Error']) {
  const requests: string[][] = [];
  const waits: number[] = [];
  const times = new Map<string, number>();
  let [underWay, most] = [0, 0];
  const send = async ({ input }: BatchExecuteStatementCommand): Promise<unknown> => {
    const statements = input.Statements ?? [];
    requests.push(statements.map(skOf));
    most = Math.max(most, ++underWay);
    await nextTurn();
    underWay--;
    const Responses = statements.map((statement) => {
      const SK = skOf(statement);
      times.set(SK, (times.get(SK) ?? 0) + 1);
      const Error = answer(SK, times.get(SK) ?? 0);
      return { TableName: 'rows', ...(Error === undefined ? {} : { Error }) };
    });
    return { Responses };
  };
  const sleep = (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  return {
    table: { client: { send } as unknown as DynamoDBClient, name: 'rows' },
    ports: { random: () => 1, sleep },
    requests,
    waits,
    most: () => most,
  };
}

/** Fails the 30th of the sixty so often. */
const failing30th = (error: BatchStatementResponse['Error'], times: number) =>
  answering((SK, time) => (SK === 'LINE#29' && time <= times ? error : undefined));

describe('changing many rows', () => {
  it('sends 25 statements a request, four requests at once', async () => {
    const many = Array.from({ length: 210 }, (_, at) => changeOf(`LINE#${at}`));
    const { table, requests, most } = answering(() => undefined);

    const outcomes = await changeRows(table, many);

    expect(outcomes).toStrictEqual(many.map(() => ({ outcome: 'changed' })));
    expect(requests.map(({ length }) => length)).toStrictEqual([...Array<number>(8).fill(25), 10]);
    expect(most()).toBe(4);
  });

  it('sends nothing for none', async () => {
    const { table, requests } = answering(() => undefined);

    expect(await changeRows(table, [])).toStrictEqual([]);
    expect(requests).toStrictEqual([]);
  });

  it('gives the row that did not meet its condition, and none where there is none', async () => {
    const { table } = answering((SK) => {
      if (SK === 'LINE#1')
        return { Code: 'ConditionalCheckFailed', Item: { text: { S: 'MILKY' } } };
      return SK === 'LINE#2' ? { Code: 'ConditionalCheckFailed' } : undefined;
    });

    expect(await changeRows(table, SIXTY.slice(0, 3))).toStrictEqual([
      { outcome: 'changed' },
      { outcome: 'unmet', row: { text: 'MILKY' } },
      { outcome: 'unmet', row: undefined },
    ]);
  });

  it.each(['ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded'] as const)(
    'sends what is throttled again, and nothing else: %s',
    async (Code) => {
      const { table, ports, requests, waits } = failing30th({ Code }, 2);

      const outcomes = await changeRows(table, SIXTY, ports);

      expect(outcomes).toStrictEqual(SIXTY.map(() => ({ outcome: 'changed' })));
      expect(requests.slice(3)).toStrictEqual([['LINE#29'], ['LINE#29']]);
      expect(waits).toStrictEqual([100, 200]);
    },
  );

  it.each([
    ['ThrottlingError', 11, 'changed'],
    ['ThrottlingError', 12, 'RateLimited'],
    ['InternalServerError', 2, 'changed'],
    ['InternalServerError', 3, 'UpstreamUnavailable'],
    ['AccessDenied', 1, 'InvalidConfiguration'],
    ['ResourceNotFound', 1, 'InvalidConfiguration'],
    ['ValidationError', 1, 'InvalidRequest'],
    ['SomethingNewError', 2, 'changed'],
  ])('%s, %d times: %s', async (Code, times, end) => {
    const { table, ports, requests } = failing30th(
      { Code: Code as BatchStatementErrorCodeEnum, Message: 'MILK' },
      times,
    );

    const ended = await changeRows(table, SIXTY, ports).then(
      () => 'changed',
      (error: unknown) => error as Error,
    );

    expect(ended instanceof Error ? ended.name : ended).toBe(end);
    // A receipt's text is in AWS's message, and in none of ours.
    expect(String(ended)).not.toContain('MILK');
    const { length } = requests;
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(requests).toHaveLength(length);
  });

  it('says what may not be done', async () => {
    const Message =
      'User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: dynamodb:PartiQLUpdate on resource: arn:aws:dynamodb:us-east-1:1:table/rows because no policy allows it';
    const { table } = failing30th({ Code: 'AccessDenied', Message }, 1);

    expect((await rejection(changeRows(table, SIXTY))).message).toBe(
      'a statement of BatchExecuteStatementCommand failed: AccessDenied (dynamodb:PartiQLUpdate on arn:aws:dynamodb:us-east-1:1:table/rows): the role may not do this',
    );
  });

  it('takes no statement for done that has no answer', async () => {
    const client = { send: () => Promise.resolve({ Responses: [] }) } as unknown as DynamoDBClient;
    const { ports } = answering(() => undefined);

    const error = await rejection(changeRows({ client, name: 'rows' }, SIXTY, ports));

    expect(error.name).toBe('UpstreamUnavailable');
  });

  it('tells a write of another that was under way from a row that is otherwise', async () => {
    const { table } = failing30th({ Code: 'TransactionConflict' }, 2);

    const outcomes = await changeRows(table, SIXTY);

    expect(outcomes.filter(({ outcome }) => outcome === 'conflict')).toHaveLength(1);
    expect((await rejection(changeRow(table, changeOf('LINE#29')))).name).toBe('ConcurrentUpdate');
    expect(await changeRow(table, changeOf('LINE#29'))).toStrictEqual({ outcome: 'changed' });
  });
});

describe('the statement', () => {
  it('has all values as parameters, and quotes what may not stand bare', async () => {
    const sent: unknown[] = [];
    const send = ({ input }: BatchExecuteStatementCommand): Promise<unknown> => {
      sent.push(input);
      return Promise.resolve({ Responses: [{}] });
    };
    const table = { client: { send } as unknown as DynamoDBClient, name: 'my.receipts-dev' };

    await changeRow(table, {
      ...changeOf('LINE#1'),
      where: { text: 'MILK', embedding_status: undefined },
    });

    expect(sent).toStrictEqual([
      {
        Statements: [
          {
            Statement:
              'UPDATE "my.receipts-dev" SET embedding_status = ? SET GSI1PK = ? REMOVE embedding_batch_id WHERE PK = ? AND SK = ? AND "text" = ? AND embedding_status IS MISSING',
            Parameters: [
              { S: 'SUCCESS' },
              { S: 'EMBEDDING_STATUS#SUCCESS' },
              { S: 'IMAGE#1' },
              { S: 'LINE#1' },
              { S: 'MILK' },
            ],
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        ],
      },
    ]);
  });
});
