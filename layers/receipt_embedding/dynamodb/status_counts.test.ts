import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from '../entities/embedding_status.ts';
import type { Row } from '../entities/row.ts';
import { RateLimited } from '../errors.ts';
import { countEmbeddingStatuses, type CountingProgress } from './status_counts.ts';
import type { Table } from './table.ts';

let table: ReceiptTable;

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
  table = await ReceiptTable.start();
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

afterAll(() => table.close());

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
  it('counts each once, rows of old and ids in capitals too, over several pages', async () => {
    expect(await countEmbeddingStatuses(table)).toStrictEqual(COUNTS);
  });

  it('goes on with the same page where DynamoDB throttles it', async () => {
    const waits: number[] = [];
    const backoff = {
      random: () => 1,
      sleep: (milliseconds: number) => Promise.resolve(waits.push(milliseconds)),
    };

    expect(await countEmbeddingStatuses(throttling(3), { backoff })).toStrictEqual(COUNTS);
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
