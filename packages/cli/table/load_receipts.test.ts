import { paginateScan } from '@aws-sdk/client-dynamodb';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { receiptCodec } from 'receipt-embedding/entities/receipt';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import type { Table } from 'receipt-embedding/table/table';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import type { ReceiptExports } from '../receipt_exports/receipt_exports.ts';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from '../synthetic_receipts/synthetic_receipts.ts';
import { loadReceipts } from './load_receipts.ts';

let table: ReceiptTable;
beforeEach(async () => {
  table = await ReceiptTable.start();
});
afterEach(async () => {
  await table.close();
});

async function countRows({ client, name }: Table): Promise<number> {
  let count = 0;
  for await (const { Count = 0 } of paginateScan(
    { client },
    { TableName: name, Select: 'COUNT' },
  )) {
    count += Count;
  }
  return count;
}

/** A receipt as the table has it. */
async function readBack({ image_id, receipt_id }: ReceiptIdentity) {
  const row = await table.get({ PK: `IMAGE#${image_id}`, SK: `RECEIPT#0000${receipt_id}` });
  return {
    receipt: z.parse(receiptCodec, row),
    ...(await readReceiptContents(table, { image_id, receipt_id }, new RecordingLogger())),
  };
}

const rowsOf = ({ lines, words, labels, metadata }: SyntheticReceipt): number =>
  1 + lines.length + words.length + labels.length + (metadata === undefined ? 0 : 1);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** As the table's keys sort them: by line, word, label. */
const inOrder = (labels: SyntheticReceipt['labels']): SyntheticReceipt['labels'] =>
  [...labels].sort(
    (a, b) => a.line_id - b.line_id || a.word_id - b.word_id || (a.label < b.label ? -1 : 1),
  );

async function expectAll(receipts: readonly SyntheticReceipt[]): Promise<void> {
  expect(await countRows(table)).toBe(sum(receipts.map(rowsOf)));
  for (const { receipt, lines, words, labels, metadata } of receipts) {
    expect(await readBack(receipt)).toStrictEqual({
      receipt,
      lines,
      words,
      labels: inOrder(labels),
      metadata,
      invalid_rows: [],
      ignored_attributes: 0,
    });
  }
}

const receipts = [...syntheticReceipts({ count: 12, seed: 'load' })];
const entities: ReceiptExports = {
  receipts: receipts.map(({ receipt }) => receipt),
  lines: receipts.flatMap(({ lines }) => lines),
  words: receipts.flatMap(({ words }) => words),
  labels: receipts.flatMap(({ labels }) => labels),
  metadatas: receipts.flatMap(({ metadata }) => metadata ?? []),
  skipped: [],
};

describe('loadReceipts', () => {
  it('loads synthetic receipts, each row readable by the layer', async () => {
    const loaded = await loadReceipts(table, syntheticReceipts({ count: 12, seed: 'load' }));
    expect(loaded).toStrictEqual({ rows: sum(receipts.map(rowsOf)) });
    await expectAll(receipts);
  });

  it('loads what was read from exports to the same rows', async () => {
    const loaded = await loadReceipts(table, entities);
    expect(loaded).toStrictEqual({ rows: sum(receipts.map(rowsOf)) });
    await expectAll(receipts);
  });

  it('replaces rows that are there already', async () => {
    const [first, ...others] = receipts;
    if (first === undefined) throw new Error('there are twelve');
    const before = first.lines.map((line) => ({ ...line, text: 'before' }));
    await loadReceipts(table, [{ ...first, lines: before }]);
    await loadReceipts(table, [first, ...others]);
    await expectAll(receipts);
  });

  it('loads nothing from nothing', async () => {
    expect(await loadReceipts(table, [])).toStrictEqual({ rows: 0 });
    expect(await countRows(table)).toBe(0);
  });

  it('sends four batches at once, and takes no more from the source until one is written', async () => {
    const counts = { taken: 0, answered: 0, ahead: 0 };
    table.client.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        counts.answered++;
        return answer;
      },
      { step: 'initialize' },
    );
    function* source(): Generator<SyntheticReceipt> {
      // One batch each: a receipt and 24 words in its lines.
      for (const { receipt, words } of syntheticReceipts({ count: 40, seed: 's', words: 24 })) {
        counts.taken++;
        counts.ahead = Math.max(counts.ahead, counts.taken - counts.answered);
        yield { receipt, lines: [], words, labels: [] };
      }
    }
    expect(await loadReceipts(table, source())).toStrictEqual({ rows: 40 * 25 });
    expect(counts).toStrictEqual({ taken: 40, answered: 40, ahead: 4 });
  });

  it('fails when the table does not exist', async () => {
    const missing: Table = { client: table.client, name: 'missing' };
    const error = await rejection(loadReceipts(missing, receipts));
    expect(error.name).toBe('InvalidConfiguration');
  });

  it('refuses an entity that is not valid', async () => {
    const [line] = entities.lines;
    if (line === undefined) throw new Error('there are lines');
    const source = { ...entities, lines: [{ ...line, line_id: 0 }] };
    await expect(loadReceipts(table, source)).rejects.toBeInstanceOf(z.ZodError);
  });
});
