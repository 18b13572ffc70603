import type { BatchWriteItemCommand, DynamoDBClient, WriteRequest } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import { aLine } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { RateLimited } from '../errors.ts';
import { RETRY_POLICIES, type RetryPorts } from '../retry.ts';
import { putRows } from './row_batches.ts';
import { getRow, queryPages } from './table.ts';

const rows = (count: number) =>
  Array.from({ length: count }, (_, at) => rowOf.line(aLine({ line_id: at + 1 })));

/** A table that leaves of each request what `leave` says; with the sizes of the requests it got. */
function tableThatLeaves(leave: (requests: WriteRequest[], call: number) => WriteRequest[]) {
  const sizes: number[] = [];
  const written: string[] = [];
  const send = ({ input }: BatchWriteItemCommand): Promise<unknown> => {
    const requests = input.RequestItems?.['receipts'] ?? [];
    const left = leave(requests, sizes.length);
    sizes.push(requests.length);
    for (const request of requests) {
      if (!left.includes(request)) written.push(request.PutRequest?.Item?.['SK']?.S ?? '');
    }
    return Promise.resolve({ UnprocessedItems: left.length === 0 ? {} : { receipts: left } });
  };
  const table = { client: { send } as unknown as DynamoDBClient, name: 'receipts' };
  return { table, sizes, written };
}

/** Waits without waiting, and keeps how long it would have been. */
function instantly(): { ports: RetryPorts; waits: number[] } {
  const waits: number[] = [];
  const sleep = (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  return { ports: { random: () => 1, sleep }, waits };
}

describe('putting rows', () => {
  it('writes them into the table as they are', async () => {
    const table = await ReceiptTable.start();
    const all = rows(60);

    expect(await putRows(table, all)).toBe(60);
    expect(await Promise.all(all.map((row) => table.get(row)))).toStrictEqual(all);
    await table.close();
  });

  it.each([
    [0, []],
    [1, [1]],
    [25, [25]],
    [26, [25, 1]],
    [51, [25, 25, 1]],
  ])('sends %d rows in requests of %j', async (count, requests) => {
    const { table, sizes } = tableThatLeaves(() => []);

    expect(await putRows(table, rows(count))).toBe(count);
    expect(sizes).toStrictEqual(requests);
  });

  it('sends again what is left unprocessed, and only that, with backoff', async () => {
    const { table, sizes, written } = tableThatLeaves((requests, call) =>
      call < 3 ? requests.slice(0, Math.floor(requests.length / 2)) : [],
    );
    const { ports, waits } = instantly();
    const all = rows(10);

    expect(await putRows(table, all, ports)).toBe(10);
    expect(sizes).toStrictEqual([10, 5, 2, 1]);
    expect(waits).toStrictEqual([100, 200, 400]);
    expect(written.toSorted()).toStrictEqual(all.map(({ SK }) => SK));
  });

  it('gives up after 12 tries, and names how many rows are left', async () => {
    const { table, sizes } = tableThatLeaves((requests) => requests.slice(0, 3));
    const { ports, waits } = instantly();

    const error = await rejection(putRows(table, rows(10), ports));

    expect([error.name, error.message]).toStrictEqual([
      'RateLimited',
      'DynamoDB left 3 of 10 rows unprocessed after 12 tries',
    ]);
    expect(sizes).toHaveLength(12);
    expect(waits).toStrictEqual([
      100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 5_000,
    ]);
  });
});

describe('a request that DynamoDB throttles', () => {
  const KEY = { PK: 'BATCH#1', SK: 'STATUS' };

  /** A table whose requests are throttled so often, one after the other, before each is answered so. */
  function throttling(times: number, ...answers: readonly object[]) {
    let failures = 0;
    let answered = 0;
    const send = (): Promise<unknown> => {
      if (failures++ < times) return Promise.reject(new RateLimited('slow down'));
      failures = 0;
      return Promise.resolve(answers[answered++]);
    };
    return { client: { send } as unknown as DynamoDBClient, name: 'receipts' };
  }

  it.each([
    ['a row', RETRY_POLICIES.dynamodb, 3],
    ['a row among ten thousand', RETRY_POLICIES.dynamodb_bulk, 12],
  ])('for %s is repeated as its policy says', async (_, retry, tries) => {
    const { ports } = instantly();
    const row = { Item: { PK: { S: 'BATCH#1' }, SK: { S: 'STATUS' } } };

    const read = (times: number) => getRow(throttling(times, row), KEY, {}, { retry, ports });

    expect(await read(tries - 1)).toStrictEqual(KEY);
    expect((await rejection(read(tries))).name).toBe('RateLimited');
  });

  it('for a page of a query is repeated for that page alone', async () => {
    const { ports, waits } = instantly();
    const pages = [
      {
        Count: 1,
        Items: [{ PK: { S: 'a' }, SK: { S: 'b' } }],
        LastEvaluatedKey: { PK: { S: 'a' } },
      },
      { Count: 2, Items: [] },
    ];
    const query = { KeyConditionExpression: 'PK = :a', values: { a: 'a' } };

    const read = await collect(queryPages(throttling(2, ...pages), query, { ports }));

    expect(read).toStrictEqual([
      { count: 1, rows: [{ PK: 'a', SK: 'b' }] },
      { count: 2, rows: [] },
    ]);
    expect(waits).toStrictEqual([100, 200, 100, 200]);
  });
});
