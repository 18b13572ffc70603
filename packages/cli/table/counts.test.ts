import type { BatchSummary } from 'receipt-embedding/entities/batch';
import {
  type CompactionRun,
  compactionRunCodec,
  newCompactionRun,
} from 'receipt-embedding/entities/compaction_run';
import type { Row } from 'receipt-embedding/entities/keys';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { RateLimited } from 'receipt-embedding/errors';
import type { Table } from 'receipt-embedding/table/table';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aBatch, ourBatch, rowOfBatch } from '../../../tests/support/batch_factory.ts';
import { aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import {
  countBatches,
  countCompactionStates,
  countEmbeddingStatuses,
  type CountingProgress,
  ONE_SHARD,
} from './counts.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const UPPER = 'F3504E00-4F89-41D3-9A0C-0305E82C3301';

const lines = (status: EmbeddingStatus, count: number): Row[] =>
  Array.from({ length: count }, (_, at) =>
    rowOf.line(
      aLine({
        line_id: at + 1,
        receipt_id: EMBEDDING_STATUSES.indexOf(status) + 1,
        embedding_status: status,
      }),
    ),
  );

const words = (status: EmbeddingStatus, count: number): Row[] =>
  Array.from({ length: count }, (_, at) =>
    rowOf.word(
      aWord({
        image_id: UPPER,
        word_id: at + 1,
        receipt_id: EMBEDDING_STATUSES.indexOf(status) + 1,
        embedding_status: status,
      }),
    ),
  );

/** As old rows have it: no LINE# or WORD# before the image. */
const old = (row: Row): Row => ({ ...row, GSI1SK: (row['GSI1SK'] as string).slice(5) });

beforeAll(async () => {
  await table.put(
    ...lines('NONE', 2),
    ...lines('SUCCESS', 3),
    ...words('PENDING', 4),
    // More than DynamoDB answers at once.
    ...words('SUCCESS', 5).map((row) => ({ ...row, notes: 'x'.repeat(300_000) })),
    ...words('NOISE', 1),
    old(rowOf.line(aLine({ receipt_id: 9, embedding_status: 'FAILED' }))),
    ...[1, 2].map((word_id) =>
      old(rowOf.word(aWord({ receipt_id: 9, word_id, embedding_status: 'FAILED' }))),
    ),
  );
});

const COUNTS = {
  lines: { NONE: 2, PENDING: 0, SUCCESS: 3, FAILED: 1, NOISE: 0 },
  words: { NONE: 0, PENDING: 4, SUCCESS: 5, FAILED: 2, NOISE: 1 },
};

/** The table, whose every nth request is throttled. */
function throttling(nth: number): Table {
  let requests = 0;
  const client = Object.create(table.client) as Table['client'];
  client.send = (command: never) => {
    requests++;
    return requests % nth === 0
      ? Promise.reject(new RateLimited('slow down'))
      : table.client.send(command);
  };
  return { client, name: table.name };
}

describe('counting lines and words by status', () => {
  it('counts each once, legacy rows and ids in capitals too, over several pages', async () => {
    expect(await countEmbeddingStatuses(table)).toStrictEqual(COUNTS);
    expect(await countEmbeddingStatuses(table, { shards: ONE_SHARD })).toStrictEqual(COUNTS);
  });

  it('goes on with the same page where DynamoDB throttles it', async () => {
    const waits: number[] = [];
    const ports = {
      random: () => 1,
      sleep: (milliseconds: number) => Promise.resolve(waits.push(milliseconds)),
    };

    expect(await countEmbeddingStatuses(throttling(3), { ports })).toStrictEqual(COUNTS);
    expect(waits.length).toBeGreaterThan(100);
  });

  it('tells how far it is', async () => {
    const told: CountingProgress[] = [];

    await countEmbeddingStatuses(table, { onProgress: (progress) => told.push({ ...progress }) });

    expect(told.at(-1)).toStrictEqual({ counted: 18, parts: 330, all_parts: 330 });
    expect(told.map(({ parts }) => parts)).toStrictEqual(
      told.map(({ parts }) => parts).toSorted((a, b) => a - b),
    );
  });

  it('ends when it is asked to', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let parts = 0;

    const error = await rejection(
      countEmbeddingStatuses(table, {
        signal: controller.signal,
        onProgress: (progress) => {
          parts = progress.parts;
          if (parts === 20) controller.abort(reason);
        },
      }),
    );

    expect(error).toBe(reason);
    expect(parts).toBeLessThan(40);
  });
});

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

describe('counting batches', () => {
  it('gives those that have not ended, and how many have, legacy ones too', async () => {
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
      with_reason: 0,
      newest_with_reason: [],
      invalid_rows: 1,
    });
    expect(logger.entries).toHaveLength(1);
  });

  it('tells the newest that have a reason, and how many there are', async () => {
    const batches = Array.from({ length: 12 }, (_, minute) =>
      ourBatch({
        batch_id: batch_id(),
        status: minute % 2 === 0 ? 'FAILED' : 'COMPLETED',
        submitted_at: new Date(Date.UTC(2025, 2, 1, 10, minute)).toISOString(),
        reason: `reason ${minute}`,
        released: minute,
      }),
    );
    await table.put(...batches.map(rowOfBatch));

    const { with_reason, newest_with_reason } = await countBatches(table, new RecordingLogger());

    expect(with_reason).toBe(12);
    expect(newest_with_reason).toStrictEqual(
      batches
        .toReversed()
        .slice(0, 10)
        .map(({ batch_id, status, submitted_at, released, reason }) => ({
          batch_id,
          status,
          submitted_at,
          released,
          reason,
        })),
    );
  });
});

/** The nth run, made in that minute. */
function run(minute: number, changes: Partial<CompactionRun> = {}): Row {
  const run_id = `5b7e3f3a-1111-4222-8333-${String(minute).padStart(12, '0')}`;
  const made = newCompactionRun(RECEIPT, run_id, new Date(Date.UTC(2025, 2, 1, 10, minute)));
  return z.encode(compactionRunCodec, { ...made, ...changes });
}

beforeAll(async () => {
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
