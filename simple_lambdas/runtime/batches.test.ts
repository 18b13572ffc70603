import type { BatchOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import { createBatchSummary, updateBatch } from 'receipt-embedding/table/batch_summaries';
import { toTimestamp } from 'receipt-embedding/entities/keys';
import type { Table } from 'receipt-embedding/table/table';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ourBatch } from '../../tests/support/batch_factory.ts';
import { BatchRecord, CLAIM_MS } from '../../tests/support/batch_record.ts';
import { ReceiptTable } from '../../tests/support/receipt_table.ts';
import { RecordingMetrics } from '../../tests/support/recorders.ts';
import { rejection } from '../../tests/support/rejection.ts';
import {
  type CompletedBatch,
  endOnce,
  keepingLease,
  leasedBatch,
  partInputSchema,
} from './batches.ts';

describe('partInputSchema', () => {
  const input = {
    batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70',
    batch_type: 'LINE_EMBEDDING',
    execution_name: 'poll-1',
    execution_id: 'arn:poll-1',
    part: { key: 'batches/b/results/part-00000.jsonl' },
  };

  describe('the input of ingesting a part', () => {
    it('is read out of what the Map gives, with what else is there left out', () => {
      expect(partInputSchema.parse({ ...input, upserted: { vectors: 3 } })).toStrictEqual(input);
    });

    it.each([
      ['no key', { part: {} }, ['part.key']],
      ['an older batch type', { batch_type: 'EMBEDDING' }, ['batch_type']],
      ['a name that is no folder’s', { execution_name: 'a/b' }, ['execution_name']],
      [
        'nothing of it',
        { batch_id: '', batch_type: '', execution_name: '', part: null },
        ['batch_id', 'execution_name', 'batch_type', 'part'],
      ],
    ])('is refused with %s, and all problems are named', (_, change, fields) => {
      const { error } = partInputSchema.safeParse({ ...input, ...change });

      expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
    });
  });
});

describe('leasedBatch', () => {
  const { batch_id } = ourBatch();
  const now = new Date('2025-03-01T12:00:00Z');
  const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);

  let table: ReceiptTable;

  beforeAll(async () => {
    table = await ReceiptTable.start();
  });

  afterAll(async () => {
    await table.close();
  });

  describe('the batch that an execution is at work on', () => {
    it('is its own, for as long as it goes on, then another’s, and nobody’s once it has ended', async () => {
      const mine = { batch_id, owner: 'poll-1' };
      await createBatchSummary(table, ourBatch(), { ...mine, now });
      const half = later(CLAIM_MS / 2);
      const batch = await leasedBatch(table, { ...mine, now: half });
      expect(batch).toStrictEqual({
        ...ourBatch(),
        ...batch,
        claimed_by: 'poll-1',
        claim_expires_at: toTimestamp(later(1.5 * CLAIM_MS)),
      });

      const other = { batch_id, owner: 'poll-2' };
      const early = await rejection(leasedBatch(table, { ...other, now: later(CLAIM_MS) }));
      expect([early.name, early.message]).toStrictEqual([
        'ConcurrentUpdate',
        `batch ${batch_id} has ended, or another execution than poll-2 is at work on it`,
      ]);

      const expired = later(2 * CLAIM_MS);
      expect((await leasedBatch(table, { ...other, now: expired })).claimed_by).toBe('poll-2');
      expect((await rejection(leasedBatch(table, { ...mine, now: expired }))).name).toBe(
        'ConcurrentUpdate',
      );

      await updateBatch(
        table,
        { ...other, now: expired },
        { status: 'FAILED' },
        { endLease: true },
      );
      expect((await rejection(leasedBatch(table, { ...other, now: expired }))).name).toBe(
        'ConcurrentUpdate',
      );
    });
  });
});

describe('keepingLease', () => {
  const { batch_id } = ourBatch();

  it('prolongs the lease for as long as the work takes, and leaves nothing running', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const renewed: Date[] = [];
    const client = {
      send: () => {
        renewed.push(new Date());
        return Promise.reject(new Error('not to be had'));
      },
    } as unknown as Table['client'];
    try {
      const result = await keepingLease(
        { client, name: 'receipts' },
        { batch_id, owner: 'poll-1' },
        async () => {
          vi.advanceTimersByTime(15 * 60_000);
          return await Promise.resolve('done');
        },
      );

      expect(result).toBe('done');
      // Four times as often as it would expire; that one renewal fails is no failure of the work.
      expect(renewed).toHaveLength(20);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('endOnce', () => {
  const BATCH_ID = ourBatch().batch_id;

  const OUTCOME: BatchOutcome = {
    batch_id: BATCH_ID,
    batch_type: 'WORD_EMBEDDING',
    batch_status: 'EXPIRED',
    requested: 6,
    succeeded: 3,
    failed: 2,
    released: 1,
    prompt_tokens: 50,
    reason: 'too slow',
  };

  /** Ends one batch, as often as it is told to. */
  class EndingBatch {
    now = new Date('2025-03-01T12:00:00Z');
    readonly record = new BatchRecord(() => this.now, ourBatch());
    ended = 0;
    readonly metrics = new RecordingMetrics();
    broken: 'before' | 'after' | undefined;

    async end(execution = 'poll-1'): Promise<CompletedBatch> {
      const { record } = this;
      return await endOnce(
        BATCH_ID,
        {
          claim: () => Promise.resolve(record.claim(execution)),
          read: () => Promise.resolve(record.batch),
          end: async () => {
            await Promise.resolve();
            if (this.broken === 'before') throw new Error('killed');
            this.ended++;
            const { succeeded, failed, released, requested, prompt_tokens } = OUTCOME;
            record.update(
              execution,
              {
                status: 'EXPIRED',
                requested,
                succeeded,
                failed,
                released,
                prompt_tokens,
                reason: 'too slow',
              },
              { endLease: true },
            );
            if (this.broken === 'after') throw new Error('killed');
            return OUTCOME;
          },
        },
        this.metrics,
      );
    }
  }

  describe('ending a batch', () => {
    it('answers its outcome', async () => {
      expect(await new EndingBatch().end()).toStrictEqual({ status: 'complete', ...OUTCOME });
    });

    it('answers the same the second time, and does nothing', async () => {
      const batch = new EndingBatch();
      const first = await batch.end();

      expect(await batch.end()).toStrictEqual(first);
      expect(batch.ended).toBe(1);
    });

    it.each(['before', 'after'] as const)(
      'is done once, and answers the same, when it was killed %s it took effect',
      async (moment) => {
        const batch = new EndingBatch();
        batch.broken = moment;
        expect((await rejection(batch.end())).message).toBe('killed');
        batch.broken = undefined;

        expect(await batch.end()).toStrictEqual({ status: 'complete', ...OUTCOME });
        expect(batch.ended).toBe(1);
      },
    );

    it('answers the recorded end when an earlier invocation has ended it meanwhile', async () => {
      const batch = new EndingBatch();
      // Both have read the batch before either ends it.
      const ends = await Promise.all([batch.end(), batch.end()]);

      expect(ends[0]).toStrictEqual({ status: 'complete', ...OUTCOME });
      expect(ends[1]).toStrictEqual(ends[0]);
    });

    it('is another execution’s while that one is at work on it', async () => {
      const batch = new EndingBatch();
      batch.record.claim('poll-2');

      const error = await rejection(batch.end());

      expect([error.name, error.message]).toStrictEqual([
        'ConcurrentUpdate',
        `another execution is at work on batch ${BATCH_ID}`,
      ]);
      expect(batch.ended).toBe(0);
      batch.now = new Date(batch.now.getTime() + CLAIM_MS + 1);
      expect((await batch.end()).status).toBe('complete');
    });

    it('is refused for a batch that there is not', async () => {
      const batch = new EndingBatch();
      batch.record.batch = undefined;

      expect((await rejection(batch.end())).name).toBe('ConcurrentUpdate');
    });

    it('is counted with what it released, once for each answer', async () => {
      const batch = new EndingBatch();
      await batch.end();
      await batch.end();

      expect(batch.metrics.totals).toStrictEqual({ BatchesEnded: 2, BatchRowsReleased: 2 });
    });
  });
});
