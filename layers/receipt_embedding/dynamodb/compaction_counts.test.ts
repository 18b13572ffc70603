import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import {
  compactionRunCodec,
  newCompactionRun,
  type CompactionRun,
} from '../entities/compaction_run.ts';
import type { Row } from '../entities/row.ts';
import { countCompactionStates } from './compaction_counts.ts';

let table: ReceiptTable;

/** The nth run, made in that minute. */
function run(minute: number, changes: Partial<CompactionRun> = {}): Row {
  const run_id = `5b7e3f3a-1111-4222-8333-${String(minute).padStart(12, '0')}`;
  const made = newCompactionRun(RECEIPT, run_id, new Date(Date.UTC(2025, 2, 1, 10, minute)));
  return z.encode(compactionRunCodec, { ...made, ...changes });
}

beforeAll(async () => {
  table = await ReceiptTable.start();
  await table.put(
    run(1),
    run(2, { lines_state: 'COMPLETED', words_state: 'PROCESSING' }),
    run(3, { lines_state: 'FAILED', words_state: 'COMPLETED', lines_error: 'no space' }),
    run(4, { lines_state: 'COMPLETED', words_state: 'FAILED', words_error: 'broken' }),
    run(5, { lines_state: 'FAILED', words_state: 'FAILED' }),
    { ...run(6), words_state: 'LOST' },
    // More than DynamoDB answers at once.
    ...[7, 8, 9, 10].map((minute) => ({
      ...run(minute, { lines_state: 'COMPLETED', words_state: 'COMPLETED' }),
      notes: 'x'.repeat(300_000),
    })),
  );
});

afterAll(() => table.close());

describe('counting runs', () => {
  it('counts what became of their lines and words, and tells the newest that failed', async () => {
    const told: number[] = [];

    const counts = await countCompactionStates(table, {
      most_failed: 2,
      onProgress: (runs) => told.push(runs),
    });

    const failed = { image_id: RECEIPT.image_id, receipt_id: 1 };
    expect(counts).toStrictEqual({
      runs: 10,
      lines: { PENDING: 1, PROCESSING: 0, COMPLETED: 6, FAILED: 2 },
      words: { PENDING: 1, PROCESSING: 1, COMPLETED: 5, FAILED: 2 },
      failed: 3,
      newest_failed: [
        {
          ...failed,
          run_id: '5b7e3f3a-1111-4222-8333-000000000005',
          created_at: '2025-03-01T10:05:00.000+00:00',
          lines_state: 'FAILED',
          words_state: 'FAILED',
          lines_error: null,
          words_error: null,
        },
        {
          ...failed,
          run_id: '5b7e3f3a-1111-4222-8333-000000000004',
          created_at: '2025-03-01T10:04:00.000+00:00',
          lines_state: 'COMPLETED',
          words_state: 'FAILED',
          lines_error: null,
          words_error: 'broken',
        },
      ],
      invalid_rows: 1,
    });
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)).toBe(10);
  });
});
