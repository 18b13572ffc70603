import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBatch, ourBatch, rowOfBatch } from '../../../tests/support/batch_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import type { BatchSummary } from '../entities/batch_summary.ts';
import type { Row } from '../entities/row.ts';
import { countBatches } from './batch_counts.ts';

let table: ReceiptTable;

let count = 0;
const batch_id = (): string => `0b7e3f3a-1111-4222-8333-${String(++count).padStart(12, '0')}`;

const active = ourBatch({
  batch_id: batch_id(),
  status: 'IN_PROGRESS',
  last_error: 'RateLimited: slow down',
  claimed_by: 'poll-1',
  claim_expires_at: '2025-03-01T10:20:00+00:00',
});

const ended = (...statuses: readonly BatchSummary['status'][]): Row[] =>
  statuses.map((status) => rowOfBatch(aBatch({ batch_id: batch_id(), status })));

beforeAll(async () => {
  table = await ReceiptTable.start();
  const [old] = ended('COMPLETED');
  if (old === undefined) throw new Error('there is no batch');
  await table.put(
    rowOfBatch(active),
    rowOfBatch(aBatch({ batch_id: batch_id(), status: 'COMPLETED', batch_type: 'LINE_EMBEDDING' })),
    ...ended('COMPLETED', 'COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED', 'EXPIRED'),
    { ...old, batch_type: 'EMBEDDING', GSI1SK: `BATCH_TYPE#EMBEDDING#BATCH_ID#${batch_id()}` },
    { ...rowOfBatch(aBatch({ batch_id: batch_id() })), submitted_at: 'yesterday' },
  );
});

afterAll(() => table.close());

describe('counting batches', () => {
  it('gives those that have not ended, and how many have, those of old too', async () => {
    const logger = new RecordingLogger();

    const counts = await countBatches(table, logger);

    expect(counts).toStrictEqual({
      active: [active],
      ended: {
        COMPLETED: { WORD_EMBEDDING: 3, LINE_EMBEDDING: 1 },
        FAILED: { WORD_EMBEDDING: 1, LINE_EMBEDDING: 0 },
        EXPIRED: { WORD_EMBEDDING: 2, LINE_EMBEDDING: 0 },
        CANCELLED: { WORD_EMBEDDING: 1, LINE_EMBEDDING: 0 },
      },
      invalid_rows: 1,
    });
    expect(logger.entries).toHaveLength(1);
  });
});
