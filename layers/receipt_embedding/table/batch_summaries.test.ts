import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  aBatch,
  BATCH_ID,
  OTHER_BATCH_ID,
  ourBatch,
  rowOfBatch,
} from '../../../tests/support/batch_factory.ts';
import { RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { ACTIVE_BATCH_STATUSES, batchSummaryKey, ENDED_BATCH_STATUSES } from '../entities/batch.ts';
import {
  type BatchLease,
  leaseBatch,
  createBatchSummary,
  LEASE_MS,
  readBatchSummary,
  renewLease,
  updateBatch,
} from './batch_summaries.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const batch = aBatch({ receipt_refs: [RECEIPT] });
const row = rowOfBatch(batch);

/** The claim of an execution, so many seconds after the first. */
function claimOf(owner: string, seconds = 0): BatchLease {
  return { batch_id: BATCH_ID, owner, now: new Date(Date.UTC(2025, 2, 1, 12, 0, seconds)) };
}

const LEASE = LEASE_MS / 1_000;

/** What a claim writes at that second. */
function claimed(owner: string, seconds = 0) {
  const expiry = new Date(claimOf(owner, seconds + LEASE).now);
  return { claimed_by: owner, claim_expires_at: expiry.toISOString().replace('Z', '+00:00') };
}

const stored = () => table.get(batchSummaryKey(BATCH_ID));

beforeEach(() => table.put(row));

describe('a new batch', () => {
  const batch_id = OTHER_BATCH_ID;

  it('is recorded once, claimed by whoever submits it; a second one leaves it as it is', async () => {
    const first = ourBatch({ batch_id, status: 'SUBMITTING', reason: undefined });
    const claims = ['submit-1', 'submit-2'].map((owner) => ({ ...claimOf(owner), batch_id }));

    const created = await Promise.all(
      claims.map((claim) => createBatchSummary(table, first, claim)),
    );

    expect(created.toSorted()).toStrictEqual([false, true]);
    const winner = claims[created.indexOf(true)]?.owner ?? '';
    expect(await table.get(batchSummaryKey(batch_id))).toStrictEqual({
      ...rowOfBatch(ourBatch({ batch_id, status: 'SUBMITTING' })),
      ...claimed(winner),
    });
  });
});

describe('reading a batch', () => {
  it('gives what is there, or nothing', async () => {
    expect(await readBatchSummary(table, BATCH_ID)).toStrictEqual(batch);
    expect(await readBatchSummary(table, '0b7e3f3a-1111-4222-8333-000000000000')).toBeUndefined();
  });

  it('names the batch and the field when its row can not be read', async () => {
    await table.put({ ...row, submitted_at: 'yesterday' });

    const { name, message } = await rejection(readBatchSummary(table, BATCH_ID));

    expect([name, message]).toStrictEqual([
      'InvalidReceiptData',
      `the summary of batch ${BATCH_ID} can not be read: submitted_at: expected an ISO 8601 timestamp`,
    ]);
  });
});

describe('claiming a batch', () => {
  it('gives the batch, and keeps other executions off', async () => {
    expect(await leaseBatch(table, claimOf('poll-1'))).toStrictEqual({
      ...batch,
      ...claimed('poll-1'),
    });
    expect(await leaseBatch(table, claimOf('poll-2', LEASE))).toBeUndefined();
    expect(await stored()).toStrictEqual({ ...row, ...claimed('poll-1') });
  });

  it('goes on for the execution that has it, from then on', async () => {
    await leaseBatch(table, claimOf('poll-1'));

    expect(await leaseBatch(table, claimOf('poll-1', 100))).toStrictEqual({
      ...batch,
      ...claimed('poll-1', 100),
    });
    expect(await leaseBatch(table, claimOf('poll-2', LEASE + 99))).toBeUndefined();
  });

  it('ends by itself, so that an execution that died keeps nobody off for ever', async () => {
    await leaseBatch(table, claimOf('poll-1'));

    expect(await leaseBatch(table, claimOf('poll-2', LEASE + 1))).toStrictEqual({
      ...batch,
      ...claimed('poll-2', LEASE + 1),
    });
    expect(await leaseBatch(table, claimOf('poll-1', LEASE + 1))).toBeUndefined();
  });

  it('is had by one of those who try at the same time', async () => {
    const owners = ['poll-1', 'poll-2', 'poll-3', 'poll-4', 'poll-5'];

    const claims = await Promise.all(owners.map((owner) => leaseBatch(table, claimOf(owner))));

    const won = claims.filter((claim) => claim !== undefined);
    expect(won).toHaveLength(1);
    expect((await stored())?.['claimed_by']).toBe(won[0]?.claimed_by);
  });

  it.each([...ACTIVE_BATCH_STATUSES, 'CANCELING'])('is possible while it is %s', async (status) => {
    await table.put({ ...row, status });

    expect((await leaseBatch(table, claimOf('poll-1')))?.claimed_by).toBe('poll-1');
  });

  it.each(ENDED_BATCH_STATUSES)('is not possible once it is %s', async (status) => {
    await table.put({ ...row, status });

    expect(await leaseBatch(table, claimOf('poll-1'))).toBeUndefined();
    expect(await stored()).toStrictEqual({ ...row, status });
  });

  it('makes no batch of one that is not there', async () => {
    const nowhere = { ...claimOf('poll-1'), batch_id: '0b7e3f3a-1111-4222-8333-000000000000' };

    expect(await leaseBatch(table, nowhere)).toBeUndefined();
    expect(await table.get(batchSummaryKey(nowhere.batch_id))).toBeUndefined();
  });
});

describe('changing a batch', () => {
  const claim = claimOf('poll-1', 5);
  const mine = { ...row, ...claimed('poll-1') };

  beforeEach(() => table.put(mine));

  it('changes that and nothing else, and its claim lasts on', async () => {
    await updateBatch(table, claim, { openai_batch_id: 'batch_2', requested: 7 });

    expect(await stored()).toStrictEqual({
      ...row,
      openai_batch_id: 'batch_2',
      requested: 7,
      ...claimed('poll-1', 5),
    });
  });

  it('changes its index with its status', async () => {
    await updateBatch(table, claim, { status: 'IN_PROGRESS' });

    expect(await stored()).toStrictEqual({
      ...row,
      status: 'IN_PROGRESS',
      GSI1PK: 'STATUS#IN_PROGRESS',
      ...claimed('poll-1', 5),
    });
  });

  it('ends its claim where that is asked for', async () => {
    await updateBatch(table, claim, { status: 'COMPLETED', reason: 'expired' }, { endLease: true });

    expect(await stored()).toStrictEqual({
      ...row,
      status: 'COMPLETED',
      GSI1PK: 'STATUS#COMPLETED',
      reason: 'expired',
    });
  });

  it('may change nothing but its claim', async () => {
    await updateBatch(table, claim, {});
    expect(await stored()).toStrictEqual({ ...row, ...claimed('poll-1', 5) });

    await updateBatch(table, claim, {}, { endLease: true });
    expect(await stored()).toStrictEqual(row);
  });

  it('leaves alone what it is told nothing of', async () => {
    await updateBatch(table, claim, { requested: undefined, reason: 'slow' });

    expect(await stored()).toStrictEqual({ ...row, reason: 'slow', ...claimed('poll-1', 5) });
  });

  it('that ends its claim may be done again where only its answer was lost', async () => {
    const end = { status: 'COMPLETED', released: 0, reason: undefined } as const;
    await updateBatch(table, claim, end, { endLease: true });
    const done = await stored();

    await updateBatch(table, claim, end, { endLease: true });
    expect(await stored()).toStrictEqual(done);
    const others = updateBatch(table, claim, { ...end, released: 1 }, { endLease: true });
    expect((await rejection(others)).name).toBe('ConcurrentUpdate');
    const goingOn = updateBatch(table, claim, end);
    expect((await rejection(goingOn)).name).toBe('ConcurrentUpdate');
    expect(await stored()).toStrictEqual(done);
  });

  it.each([
    ['has lost its claim to another', { ...row, ...claimed('poll-2') }],
    ['never claimed it, or has ended its claim', row],
  ])('is not for an execution that %s', async (_, there) => {
    await table.put(there);

    for (const options of [{}, { endLease: true }]) {
      const { name, message } = await rejection(
        updateBatch(table, claim, { status: 'FAILED' }, options),
      );

      expect(name).toBe('ConcurrentUpdate');
      expect(message).toContain(`poll-1 has lost the lease of batch ${BATCH_ID}`);
    }
    expect(await stored()).toStrictEqual(there);
  });

  it('prolongs its lease, and no other', async () => {
    expect(await renewLease(table, claim)).toBe(true);
    expect(await stored()).toStrictEqual({ ...row, ...claimed('poll-1', 5) });

    expect(await renewLease(table, claimOf('poll-2', 6))).toBe(false);
    expect(await stored()).toStrictEqual({ ...row, ...claimed('poll-1', 5) });
  });

  it('takes attributes away', async () => {
    await table.put({ ...mine, attempts: 2, retry_at: '2025-03-01T12:00:00Z' });
    await updateBatch(table, claim, {}, { endLease: true, clear: ['attempts', 'retry_at'] });

    expect(await stored()).toStrictEqual(row);
  });

  it('writes when a creation begins only while that is as it was read', async () => {
    const [first, second] = ['2025-03-01T12:00:01.000+00:00', '2025-03-01T12:00:02.000+00:00'];
    const begin = (creating_since: string, read: string | undefined) =>
      updateBatch(table, claim, { creating_since }, { creatingSince: { read } });
    await begin(first, undefined);
    // Where only the answer was lost, the client writes it again.
    await begin(first, undefined);

    expect((await rejection(begin(second, undefined))).name).toBe('ConcurrentUpdate');
    expect((await rejection(begin(second, 'another'))).name).toBe('ConcurrentUpdate');
    expect((await stored())?.['creating_since']).toBe(first);
    await begin(second, first);
    expect((await stored())?.['creating_since']).toBe(second);
  });

  it('makes no batch of one that is not there', async () => {
    const nowhere = { ...claim, batch_id: '0b7e3f3a-1111-4222-8333-000000000000' };

    expect((await rejection(updateBatch(table, nowhere, {}))).name).toBe('ConcurrentUpdate');
    expect(await table.get(batchSummaryKey(nowhere.batch_id))).toBeUndefined();
  });
});
