import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { aBatch, ourBatch, rowOfBatch } from '../../../tests/support/batch_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { without } from '../../../tests/support/without.ts';
import {
  ACTIVE_BATCH_STATUSES,
  BATCH_TYPES,
  type BatchSummary,
  ENDED_BATCH_STATUSES,
} from '../entities/batch.ts';
import type { Row } from '../entities/keys.ts';
import { listPendingEmbeddingBatches } from './batch_listing.ts';

let table: ReceiptTable;

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(() => table.close());

const now = new Date('2025-03-01T12:00:00Z');

function id(number: number): string {
  return `0b7e3f3a-1111-4222-8333-${String(number).padStart(12, '0')}`;
}

/** So many minutes before now. */
function ago(minutes: number): string {
  return new Date(now.getTime() - minutes * 60_000).toISOString().replace('Z', '+00:00');
}

/** The same row as an older system has written it. */
function old(row: Row, status: string, type: string): Row {
  return {
    ...row,
    status,
    batch_type: type,
    GSI1PK: `STATUS#${status}`,
    GSI1SK: `BATCH_TYPE#${type}#BATCH_ID#${row.PK.slice('BATCH#'.length)}`,
  };
}

let count = 0;
const next = (): string => id(++count);

/** The longer its number, the younger: all active statuses of both types. */
const active = BATCH_TYPES.flatMap((batch_type) =>
  ACTIVE_BATCH_STATUSES.map((status) => {
    const batch_id = next();
    return aBatch({ batch_id, batch_type, status, submitted_at: ago(1_000 - count) });
  }),
);
const words = aBatch({ batch_id: next(), submitted_at: ago(500) });
const cancelling = aBatch({ batch_id: next(), status: 'CANCELLING', submitted_at: ago(400) });
const both = aBatch({ batch_id: next(), status: 'CANCELLING', submitted_at: ago(300) });
/** Together more than DynamoDB answers at once, by what the listing does not read. */
const large = [1, 2, 3, 4].map(() =>
  aBatch({ batch_id: next(), status: 'FINALIZING', submitted_at: ago(250) }),
);
const recovered = ourBatch({ batch_id: next(), status: 'SUBMITTING', submitted_at: ago(15) });
/** As old, by a clock that writes no offset. */
const youngest = aBatch({ batch_id: next(), submitted_at: '2025-03-01T11:50:00' });
const submitting = ourBatch({
  batch_id: next(),
  status: 'SUBMITTING',
  submitted_at: new Date(now.getTime() - 15 * 60_000 + 1).toISOString(),
});

beforeAll(async () => {
  table = await ReceiptTable.start();
  await table.put(
    rowOfBatch(youngest),
    ...active.toReversed().map(rowOfBatch),
    old(rowOfBatch(words), 'PENDING', 'EMBEDDING'),
    old(rowOfBatch(cancelling), 'CANCELING', 'WORD_EMBEDDING'),
    old(rowOfBatch(both), 'CANCELING', 'EMBEDDING'),
    ...large.map((batch) => ({ ...rowOfBatch(batch), notes: 'x'.repeat(300_000) })),
    rowOfBatch(recovered),
    rowOfBatch(submitting),
    // Not to be looked after.
    ...ENDED_BATCH_STATUSES.map((status) => rowOfBatch(aBatch({ batch_id: next(), status }))),
    old(rowOfBatch(aBatch({ batch_id: next() })), 'PENDING', 'COMPLETION'),
    old(rowOfBatch(aBatch({ batch_id: next() })), 'PENDING', 'EMBEDDING_OF_IMAGES'),
    // Unreadable.
    { ...rowOfBatch(aBatch({ batch_id: next() })), submitted_at: 'yesterday' },
  );
});

const everything: readonly BatchSummary[] = [
  ...active,
  words,
  cancelling,
  both,
  ...large,
  recovered,
  youngest,
];

async function list(most = 250) {
  const logger = new RecordingLogger();
  const listed = await listPendingEmbeddingBatches(table, { now, most, logger });
  return { ...listed, keys: logger.keys };
}

/** What is read of a batch: none of our own attributes. */
function asListed(batch: BatchSummary): BatchSummary {
  return without(batch, 'submitted_by');
}

describe('the batches that are to be looked after', () => {
  it('are all that have not ended, oldest first, in every form that a row may have', async () => {
    const queries = vi.spyOn(table.client, 'send');

    const { batches, more } = await list();

    // One for each status and type that there is or was, and one more where they don't fit into one answer.
    expect(queries).toHaveBeenCalledTimes(7 * 3 + 1);
    expect(batches).toStrictEqual(everything.map(asListed));
    expect(more).toBe(false);
  });

  it('are found though one of them can not be read, which is logged and counted', async () => {
    const { invalid_rows, keys } = await list();

    expect(invalid_rows).toBe(1);
    expect(keys).toStrictEqual([{ PK: `BATCH#${id(count)}`, SK: 'STATUS' }]);
  });

  it.each([
    [1, true],
    [everything.length - 1, true],
    [everything.length, false],
  ])(
    'are at most %d of them, the oldest, and it is said whether there are more: %s',
    async (most, others) => {
      const { batches, more } = await list(most);

      expect(batches).toStrictEqual(everything.slice(0, most).map(asListed));
      expect(more).toBe(others);
    },
  );

  it('are counted by their status, however many are listed, and those that are being submitted too', async () => {
    const counts: Partial<Record<string, number>> = {};
    for (const { status } of [...everything, submitting]) {
      counts[status] = (counts[status] ?? 0) + 1;
    }

    expect((await list(1)).by_status).toStrictEqual(counts);
  });

  it('have waited since the oldest of them was submitted', async () => {
    expect((await list()).oldest_submitted_at).toStrictEqual(
      new Date(active[0]?.submitted_at ?? NaN),
    );
  });

  it('are none in an empty table: every count is 0, and none is the oldest', async () => {
    const empty = await ReceiptTable.start();
    const listed = await listPendingEmbeddingBatches(empty, {
      now,
      most: 250,
      logger: new RecordingLogger(),
    });
    await empty.close();

    expect(listed).toStrictEqual({
      batches: [],
      more: false,
      by_status: Object.fromEntries(ACTIVE_BATCH_STATUSES.map((status) => [status, 0])),
      oldest_submitted_at: undefined,
      parked: 0,
      invalid_rows: 0,
    });
  });

  it('are looked after in turn: 250 that are stuck keep no newer one from it', async () => {
    const waiting = await ReceiptTable.start();
    const stuck = Array.from({ length: 250 }, (_, at) =>
      ourBatch({
        batch_id: id(10_000 + at),
        submitted_at: ago(2_000),
        attempts: 2,
        retry_at: ago(1),
      }),
    );
    const running = ourBatch({ batch_id: id(1), submitted_at: ago(1_999), polled_at: ago(20) });
    const resting = ourBatch({ batch_id: id(2), submitted_at: ago(1_999), retry_at: ago(-1) });
    const parked = ourBatch({ batch_id: id(3), submitted_at: ago(1_999), parked_at: ago(500) });
    const newer = ourBatch({ batch_id: id(4), submitted_at: ago(30) });
    await waiting.put(...[...stuck, running, resting, parked, newer].map(rowOfBatch));

    const listed = await listPendingEmbeddingBatches(waiting, {
      now,
      most: 250,
      logger: new RecordingLogger(),
    });
    await waiting.close();

    const ids = listed.batches.map(({ batch_id }) => batch_id);
    expect(ids.slice(0, 2)).toStrictEqual([newer.batch_id, running.batch_id]);
    expect(ids).toHaveLength(250);
    expect(ids).not.toContain(resting.batch_id);
    expect(ids).not.toContain(parked.batch_id);
    expect([listed.more, listed.parked, listed.by_status.PENDING]).toStrictEqual([true, 1, 254]);
  });

  it('are listed once, also those whose status changes while they are listed', async () => {
    const [moving] = active;
    if (moving === undefined) throw new RangeError('no batch');
    const { middlewareStack } = table.client;
    middlewareStack.add(
      (next) => async (args) => {
        // By now it has been seen as SUBMITTING.
        const query = JSON.stringify(args.input);
        if (query.includes('"STATUS#PENDING"') && query.includes('#WORD_EMBEDDING#')) {
          middlewareStack.remove('moving');
          await table.put(rowOfBatch({ ...moving, status: 'PENDING' }));
        }
        return await next(args);
      },
      { step: 'initialize', name: 'moving' },
    );

    const { batches } = await list();
    await table.put(rowOfBatch(moving));

    const ids = batches.map(({ batch_id }) => batch_id);
    expect(ids).toStrictEqual(everything.map(({ batch_id }) => batch_id));
  });
});
