import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_ID, ourBatch, rowOfBatch } from '../../../tests/support/batch_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { type BatchSummary, ENDED_BATCH_STATUSES } from '../entities/batch.ts';
import { isDue, MOST_ATTEMPTS, notePartDone, recordFailure, takeUpAgain } from './batch_retries.ts';
import { leaseBatch, readBatchSummary } from './batch_summaries.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const HOUR = 3_600_000;
let now: Date;
const claim = () => ({ batch_id: BATCH_ID, owner: 'arn:poll-1', now });

async function read(): Promise<BatchSummary> {
  const batch = await readBatchSummary(table, BATCH_ID);
  if (batch === undefined) throw new Error('the batch is gone');
  return batch;
}

/** A poll that fails. */
async function fail(): Promise<void> {
  const batch = await leaseBatch(table, claim());
  if (batch === undefined) throw new Error('the lease is another one’s');
  await recordFailure(table, claim(), batch, 'RateLimited: slow down');
}

beforeEach(async () => {
  now = new Date('2025-03-01T12:00:00Z');
  await table.put(rowOfBatch(ourBatch({ status: 'IN_PROGRESS' })));
});

describe('a batch that can not be finished', () => {
  it('rests longer after each failure, and is parked after the fifth, well before its files expire', async () => {
    const rests: number[] = [];
    const began = now.getTime();
    for (;;) {
      await fail();
      const { retry_at, parked_at } = await read();
      if (parked_at !== undefined) break;
      const rest = new Date(retry_at ?? '').getTime() - now.getTime();
      rests.push(rest / HOUR);
      expect(isDue(await read(), new Date(now.getTime() + rest - 1))).toBe(false);
      now = new Date(now.getTime() + rest);
      expect(isDue(await read(), now)).toBe(true);
    }

    expect(rests).toStrictEqual([0, 0.25, 1, 20]);
    const parked = await read();
    expect(parked).toMatchObject({
      status: 'IN_PROGRESS',
      attempts: MOST_ATTEMPTS,
      last_error: 'RateLimited: slow down',
    });
    expect(parked.claimed_by).toBeUndefined();
    expect(isDue(parked, new Date(now.getTime() + 1_000 * HOUR))).toBe(false);
    expect(now.getTime() - began).toBeLessThan(2 * 24 * HOUR);
  });

  it('is taken up again, in the step that it has reached', async () => {
    await leaseBatch(table, claim());
    await notePartDone(table, claim(), 'part-1');
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) await fail();

    expect(await takeUpAgain(table, BATCH_ID)).toBe(true);

    const batch = await read();
    expect(isDue(batch, now)).toBe(true);
    expect(batch.attempts).toBeUndefined();
    expect(batch.parts_done).toStrictEqual(new Set(['part-1']));
  });

  it.each(ENDED_BATCH_STATUSES)('is not taken up again once it is %s', async (status) => {
    const row = rowOfBatch(ourBatch({ status, attempts: 1 }));
    await table.put(row);

    expect(await takeUpAgain(table, BATCH_ID)).toBe(false);
    expect(await table.get(row)).toStrictEqual(row);
  });

  it('has nothing recorded by an execution that has lost its lease', async () => {
    const batch = await leaseBatch(table, { ...claim(), owner: 'arn:poll-2' });

    const { name } = await rejection(recordFailure(table, claim(), { ...batch }, 'late'));
    await notePartDone(table, claim(), 'part-1');

    expect(name).toBe('ConcurrentUpdate');
    expect(await read()).toStrictEqual(batch);
  });
});

describe('the parts of a batch', () => {
  it('are noted one by one, also by several at once', async () => {
    await leaseBatch(table, claim());
    await Promise.all(
      ['part-1', 'part-2', 'part-1'].map((part) => notePartDone(table, claim(), part)),
    );

    expect((await read()).parts_done).toStrictEqual(new Set(['part-1', 'part-2']));
  });
});
