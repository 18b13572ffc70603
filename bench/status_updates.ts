import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { embeddingStatusKey } from 'receipt-embedding/entities/line_and_word';
import { mapSettled } from 'receipt-embedding/settled_map';
import {
  setEmbeddingStatuses,
  type StatusHolder,
  UPDATES_AT_ONCE,
} from 'receipt-embedding/table/embedding_statuses';
import { putRows } from 'receipt-embedding/table/row_batches';
import { type Table, updateRow } from 'receipt-embedding/table/table';
import { aLine } from '../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../tests/support/receipt_table.ts';
import { print } from './figures.ts';

/** Rows of a usual receipt. */
const ROWS = 190;
const RECEIPTS = 12;
/** Those that are not counted, since the code is not compiled yet. */
const WARM_UP = 4;

type Way = (table: Table, holders: readonly StatusHolder[]) => Promise<unknown>;

const WAYS: Readonly<Record<string, Way>> = {
  'an UpdateItem a row': (table, holders) =>
    mapSettled(holders, (holder) => updateItem(table, holder), { atOnce: UPDATES_AT_ONCE }),
  '25 statements a request': (table, holders) => setEmbeddingStatuses(table, holders, 'SUCCESS'),
};

async function updateItem(
  table: Table,
  { PK, SK, text, embedding_status }: StatusHolder,
): Promise<void> {
  const held = await updateRow(
    table,
    { PK, SK },
    {
      UpdateExpression: 'SET embedding_status = :to, GSI1PK = :key REMOVE embedding_batch_id',
      ConditionExpression:
        'attribute_exists(PK) AND #text = :text AND (embedding_status = :from OR attribute_not_exists(embedding_status))',
      ExpressionAttributeNames: { '#text': 'text' },
      values: { to: 'SUCCESS', key: embeddingStatusKey('SUCCESS'), text, from: embedding_status },
    },
  );
  if (!held) throw new Error('the row is not as it was written');
}

/** Prints requests and CPU of changing the statuses of a fresh receipt, the embedded DynamoDB's share included, one by one and many a request. */
export async function compareStatusUpdates(): Promise<void> {
  print(`statuses of a receipt of ${ROWS} rows:`);
  const table = await ReceiptTable.start();
  let requests = 0;
  table.client.middlewareStack.add(
    (next) => (args) => {
      requests++;
      return next(args);
    },
    { step: 'build', name: 'count' },
  );
  const spent: number[] = [];
  try {
    for (const [way, change] of Object.entries(WAYS)) {
      const milliseconds: number[] = [];
      for (let receipt_id = 1; receipt_id <= WARM_UP + RECEIPTS; receipt_id++) {
        const holders = await load(table, receipt_id);
        requests = 0;
        const started = process.cpuUsage();
        await change(table, holders);
        const { user, system } = process.cpuUsage(started);
        if (receipt_id > WARM_UP) milliseconds.push((user + system) / 1_000);
      }
      const mean = milliseconds.reduce((sum, one) => sum + one, 0) / milliseconds.length;
      spent.push(mean);
      print(
        `  ${way.padEnd(24)}${String(requests).padStart(4)} requests${mean.toFixed(1).padStart(8)} ms of CPU`,
      );
    }
  } finally {
    await table.close();
  }
  const [before = NaN, after = NaN] = spent;
  print(`  × ${(after / before).toFixed(2)}`);
}

async function load(
  table: { readonly client: DynamoDBClient; readonly name: string },
  receipt_id: number,
): Promise<StatusHolder[]> {
  const lines = Array.from({ length: ROWS }, (_, at) => aLine({ receipt_id, line_id: at + 1 }));
  const rows = lines.map(rowOf.line);
  await putRows(table, rows);
  return rows.map(({ PK, SK, text }) => ({
    PK,
    SK,
    text: String(text),
    embedding_status: 'NONE',
  }));
}
