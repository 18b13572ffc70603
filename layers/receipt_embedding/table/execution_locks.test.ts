import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { takeExecutionLock } from './execution_locks.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const KEY = { PK: 'EXECUTION_LOCK#realtime-embedding-sf-dev', SK: 'NONE' };
const running = new Set<string>();
/** What is asked of Step Functions, with the time that the row has. */
const asked: [string, string][] = [];

const take = (execution: string, kind = 'NONE', now = new Date('2025-03-01T12:00:00Z')) =>
  takeExecutionLock(
    table,
    { stateMachine: 'realtime-embedding-sf-dev', kind, execution, now },
    (holder, takenAt) => {
      asked.push([holder, takenAt.toISOString()]);
      return Promise.resolve(running.has(holder));
    },
  );

beforeEach(async () => {
  running.clear();
  asked.length = 0;
  await table.put({ ...KEY, execution_arn: 'arn:run-0', taken_at: '2025-03-01T11:00:00+00:00' });
});

describe('the lock of a kind of executions', () => {
  it('is taken over from an execution that has ended, and says since when', async () => {
    expect(await take('arn:run-1')).toBeUndefined();

    expect(asked).toStrictEqual([['arn:run-0', '2025-03-01T11:00:00.000Z']]);
    expect(await table.get(KEY)).toStrictEqual({
      ...KEY,
      TYPE: 'EXECUTION_LOCK',
      execution_arn: 'arn:run-1',
      taken_at: '2025-03-01T12:00:00.000+00:00',
    });
  });

  it('stays with an execution that is running, whose ARN is the answer', async () => {
    running.add('arn:run-0');

    expect(await take('arn:run-1')).toBe('arn:run-0');
    expect(await table.get(KEY)).toMatchObject({ execution_arn: 'arn:run-0' });
  });

  it('is had already by the execution that asks twice', async () => {
    await take('arn:run-1');
    asked.length = 0;

    expect(await take('arn:run-1')).toBeUndefined();
    expect(asked).toStrictEqual([]);
  });

  it('goes to exactly one of many that find the same end at the same moment', async () => {
    const takers = Array.from({ length: 8 }, (_, at) => `arn:run-${at + 1}`);
    for (const taker of takers) running.add(taker);

    const answers = await Promise.all(takers.map((taker) => take(taker)));

    const [winner = '', ...more] = takers.filter((_, at) => answers[at] === undefined);
    expect(more).toStrictEqual([]);
    expect(answers.filter((answer) => answer !== undefined)).toStrictEqual(
      Array.from({ length: 7 }, () => winner),
    );
  });

  it('is another one for another kind', async () => {
    running.add('arn:run-0');

    expect(await take('arn:run-1', 'ALL')).toBeUndefined();
  });

  it('that can not be read says which row it is, and what to do', async () => {
    await table.put({ ...KEY, execution_arn: 7, taken_at: 'yesterday' });

    const error = await rejection(take('arn:run-1'));

    expect(error.name).toBe('InvalidReceiptData');
    expect(error.message).toMatch(/EXECUTION_LOCK#realtime-embedding-sf-dev NONE .*Delete its row/);
  });
});
