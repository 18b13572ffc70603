import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { describe, expect, it } from 'vitest';
import { ourBatch } from '../../../tests/support/batch_factory.ts';
import { batchesView } from './batch_view.ts';

const now = new Date('2025-03-01T12:00:00Z');
const none = { WORD_EMBEDDING: 0, LINE_EMBEDDING: 0 };
const ended = { COMPLETED: none, FAILED: none, EXPIRED: none, CANCELLED: none };

/** A batch of this number, submitted so many minutes ago. */
function batch(number: number, minutes: number, changes: Partial<BatchSummary>): BatchSummary {
  return ourBatch({
    batch_id: `0b7e3f3a-1111-4222-8333-${String(number).padStart(12, '0')}`,
    submitted_at: new Date(now.getTime() - minutes * 60_000).toISOString(),
    ...changes,
  });
}

const viewOf = (...active: readonly BatchSummary[]) =>
  batchesView({ active, ended, invalid_rows: 0 }, now);

describe('the batches that have not ended', () => {
  it('are counted by state, with the age of the oldest of each', () => {
    const { active } = viewOf(
      batch(1, 10, { status: 'IN_PROGRESS' }),
      batch(2, 30, { status: 'IN_PROGRESS', batch_type: 'LINE_EMBEDDING' }),
      batch(3, 20, { status: 'IN_PROGRESS' }),
      batch(4, 1, { status: 'PENDING' }),
    );

    expect(active.map(({ status, lines, words }) => [status, lines, words])).toStrictEqual([
      ['SUBMITTING', 0, 0],
      ['PENDING', 0, 1],
      ['VALIDATING', 0, 0],
      ['IN_PROGRESS', 1, 2],
      ['FINALIZING', 0, 0],
      ['CANCELLING', 0, 0],
    ]);
    expect(active[3]).toMatchObject({
      oldest_submitted_at: '2025-03-01T11:30:00.000Z',
      oldest_age_seconds: 1_800,
    });
    expect(active[0]).toMatchObject({ oldest_submitted_at: null, oldest_age_seconds: null });
  });

  it.each([
    ['that is being submitted just now', { status: 'SUBMITTING' }, 14, []],
    ['whose submission takes too long', { status: 'SUBMITTING' }, 15, ['submission_died']],
    [
      'that is worked on',
      { claimed_by: 'poll-1', claim_expires_at: '2025-03-01T12:00:00+00:00' },
      60,
      [],
    ],
    [
      'that was worked on by one who died',
      { claimed_by: 'poll-1', claim_expires_at: '2025-03-01T11:59:59+00:00' },
      60,
      ['claim_expired'],
    ],
    ['that could not be finished', { last_error: 'RateLimited: slow down' }, 60, ['failed_before']],
  ] as const)('one %s has these troubles: %s', (_, changes, minutes, problems) => {
    const { troubled } = viewOf(batch(1, minutes, changes));

    expect(troubled.flatMap((one) => one.problems)).toStrictEqual(problems);
    expect(troubled).toHaveLength(problems.length === 0 ? 0 : 1);
  });

  it('and are in trouble are told oldest first', () => {
    const { troubled } = viewOf(
      batch(1, 20, { status: 'SUBMITTING' }),
      batch(2, 90, { last_error: 'broken' }),
    );

    expect(troubled).toStrictEqual([
      {
        batch_id: '0b7e3f3a-1111-4222-8333-000000000002',
        batch_type: 'WORD_EMBEDDING',
        status: 'PENDING',
        submitted_at: '2025-03-01T10:30:00.000Z',
        age_seconds: 5_400,
        problems: ['failed_before'],
        last_error: 'broken',
      },
      expect.objectContaining({ problems: ['submission_died'], age_seconds: 1_200 }),
    ]);
  });
});
