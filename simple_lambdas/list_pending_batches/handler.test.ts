import '../../tests/support/function_environment.ts';
import type { PendingBatches } from 'receipt-embedding/table/batch_listing';
import { describe, expect, it } from 'vitest';
import { ourBatch } from '../../tests/support/batch_factory.ts';
import { RecordingMetrics } from '../../tests/support/recorders.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { listBatches, listBatchesInputSchema } from './handler.ts';

const OLDEST = ourBatch({ batch_id: '00000000-0000-4000-8000-000000000002' });
const NEXT = ourBatch({ batch_id: '00000000-0000-4000-8000-000000000001' });

const NOW = new Date('2026-11-03T12:00:00Z');
const BY_STATUS = {
  SUBMITTING: 1,
  PENDING: 0,
  VALIDATING: 0,
  IN_PROGRESS: 2,
  FINALIZING: 0,
  CANCELLING: 0,
};

async function list(
  input: unknown = {},
  pending: Partial<PendingBatches> = { batches: [OLDEST, NEXT] },
) {
  const metrics = new RecordingMetrics();
  const asked: number[] = [];
  const written: unknown[] = [];
  const output = await listBatches(
    listBatchesInputSchema.parse(input),
    {
      listPending: (most) => {
        asked.push(most);
        return Promise.resolve({
          batches: [],
          more: false,
          by_status: BY_STATUS,
          oldest_submitted_at: undefined,
          parked: 0,
          invalid_rows: 4,
          ...pending,
        });
      },
      writeManifest: (name, batches) => {
        written.push(batches);
        return Promise.resolve({ bucket: 'batches', key: `polls/${name}/batches.jsonl` });
      },
      clock: () => NOW,
      metrics,
    },
    'request-1',
  );
  return { output, asked, written, metrics };
}

describe('listing batches', () => {
  it('asks for 250, and writes their ids in the order in which they came', async () => {
    const { output, asked, written } = await list({ Name: 'poll-1' });

    expect(asked).toStrictEqual([250]);
    expect(written).toStrictEqual([[{ batch_id: OLDEST.batch_id }, { batch_id: NEXT.batch_id }]]);
    expect(output).toStrictEqual({
      total_batches: 2,
      more: false,
      invalid_rows: 4,
      execution_name: 'poll-1',
      manifest: { bucket: 'batches', key: 'polls/poll-1/batches.jsonl' },
    });
  });

  it('goes by the request’s id when there is no execution, and says that there are more', async () => {
    const { output, written } = await list({}, { batches: [], more: true });

    expect(written).toStrictEqual([[]]);
    expect(output).toMatchObject({ total_batches: 0, more: true, execution_name: 'request-1' });
  });

  it.each([
    ['a day and a second', '2026-11-02T11:59:59Z', 86_401],
    ['none: another clock is ahead', '2026-11-03T12:00:05Z', 0],
  ])('measures the age of the oldest: %s', async (_, oldest, age) => {
    const { metrics } = await list({}, { oldest_submitted_at: new Date(oldest) });

    expect(metrics.totals).toStrictEqual({
      InvalidRows: 4,
      ParkedBatches: 0,
      OldestPendingBatchAge: age,
    });
  });

  it('counts the batches of every status, and says 0 where there are none, so that an alarm ends', async () => {
    const { metrics } = await list();

    expect(metrics.each).toStrictEqual({
      'PendingBatches SUBMITTING': 1,
      'PendingBatches PENDING': 0,
      'PendingBatches VALIDATING': 0,
      'PendingBatches IN_PROGRESS': 2,
      'PendingBatches FINALIZING': 0,
      'PendingBatches CANCELLING': 0,
    });
    expect(metrics.totals.OldestPendingBatchAge).toBe(0);
  });

  it('counts those that are parked, so that an alarm rings', async () => {
    const { metrics } = await list({}, { parked: 2 });

    expect(metrics.totals.ParkedBatches).toBe(2);
  });

  it('fails with what the listing fails with', async () => {
    const listPending = () => Promise.reject(new Error('no table'));
    const writeManifest = () => Promise.reject(new Error('nothing is to be written'));
    const metrics = new RecordingMetrics();
    const listing = listBatches(
      {},
      { listPending, writeManifest, clock: () => NOW, metrics },
      'request-1',
    );

    expect((await rejection(listing)).message).toBe('no table');
  });

  it.each([
    ['a limit, which it does not have', { limit: 1 }, ['']],
    ['a name that is no folder’s, and more', { Name: 'a/b', limit: 1 }, ['Name', '']],
  ])('is refused with %s', (_, input, fields) => {
    const { error } = listBatchesInputSchema.safeParse(input);

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
