import type { BatchOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import { describe, expect, it } from 'vitest';
import { ourBatch } from '../../tests/support/batch_factory.ts';
import { BatchRecord, CLAIM_MS } from '../../tests/support/batch_record.ts';
import { RecordingMetrics } from '../../tests/support/recorders.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { countOutcome } from './batch_metrics.ts';
import { type CompletedBatch, endOnce } from './end_batch.ts';

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
  broken: 'before' | 'after' | undefined;

  async end(execution = 'poll-1'): Promise<CompletedBatch> {
    const { record } = this;
    return await endOnce(BATCH_ID, {
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
          { endClaim: true },
        );
        if (this.broken === 'after') throw new Error('killed');
        return OUTCOME;
      },
    });
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

  it('is counted with what it gave back', () => {
    const metrics = new RecordingMetrics();
    countOutcome(metrics, OUTCOME);

    expect(metrics.totals).toStrictEqual({ BatchesEnded: 1, BatchRowsReleased: 1 });
  });
});
