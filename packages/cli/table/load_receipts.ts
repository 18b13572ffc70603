import {
  type ReceiptLine,
  receiptLineCodec,
  type ReceiptWord,
  receiptWordCodec,
  type ReceiptWordLabel,
  receiptWordLabelCodec,
} from 'receipt-embedding/entities/line_and_word';
import {
  type Receipt,
  receiptCodec,
  type ReceiptMetadata,
  receiptMetadataCodec,
} from 'receipt-embedding/entities/receipt';
import { mapSettled } from 'receipt-embedding/settled_map';
import { putRows } from 'receipt-embedding/table/row_batches';
import type { Table } from 'receipt-embedding/table/table';
import { z } from 'zod';
import type { SyntheticReceipt } from '../synthetic_receipts/synthetic_receipts.ts';

/** Receipts and what belongs to them, kind by kind; `ReceiptExports` is one. */
export interface ReceiptEntities {
  readonly receipts: Iterable<Receipt>;
  readonly lines: Iterable<ReceiptLine>;
  readonly words: Iterable<ReceiptWord>;
  readonly labels: Iterable<ReceiptWordLabel>;
  readonly metadatas: Iterable<ReceiptMetadata>;
}

/** The rows of one BatchWriteItem (docs/data_model.md §4). */
const BATCH = 25;
/** Enough to keep the table busy while the next rows are encoded. */
const BATCHES_AT_ONCE = 4;

type Row = Parameters<typeof putRows>[1] extends Iterable<infer R> ? R : never;

/**
 * Puts receipts into the table, row by row as the sources give them: no more than 100 rows are held at a time. A row that is
 * there already is replaced.
 *
 * @param source entities kind by kind, or receipt by receipt. No two may have the same key.
 * @returns how many rows were written, which is all of them.
 * @throws what `putRows` throws, and ZodError when an entity is not valid; some rows may have been written by then.
 */
export async function loadReceipts(
  table: Table,
  source: ReceiptEntities | Iterable<SyntheticReceipt>,
): Promise<{ rows: number }> {
  const written = await mapSettled(batches(receiptRows(source)), (batch) => putRows(table, batch), {
    atOnce: BATCHES_AT_ONCE,
  });
  return { rows: written.reduce((sum, rows) => sum + rows, 0) };
}

/** The rows of receipts, as they lie in the table. */
export function* receiptRows(source: ReceiptEntities | Iterable<SyntheticReceipt>): Generator<Row> {
  if (!(Symbol.iterator in source)) {
    yield* entityRows(source);
    return;
  }
  for (const { receipt, lines, words, labels, metadata } of source) {
    const metadatas = metadata === undefined ? [] : [metadata];
    yield* entityRows({ receipts: [receipt], lines, words, labels, metadatas });
  }
}

function* entityRows(entities: ReceiptEntities): Generator<Row> {
  for (const receipt of entities.receipts) yield z.encode(receiptCodec, receipt);
  for (const line of entities.lines) yield z.encode(receiptLineCodec, line);
  for (const word of entities.words) yield z.encode(receiptWordCodec, word);
  for (const label of entities.labels) yield z.encode(receiptWordLabelCodec, label);
  for (const metadata of entities.metadatas) yield z.encode(receiptMetadataCodec, metadata);
}

function* batches(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
