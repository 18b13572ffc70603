import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { receiptPath } from '../entities/keys.ts';
import { forgetChange, latestChangeKey, latestChanges, noteChange } from './latest_changes.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});
afterAll(() => table.close());

let receipts = 0;

/** A receipt that no other test has, at a change. */
const newReceipt = () => {
  receipts++;
  const receipt = { image_id: IMAGE_ID, receipt_id: receipts };
  return { receipt, at: (change: string) => ({ ...receipt, change }) };
};

describe('the newest change of a receipt', () => {
  it('is noted, again where it is the same, and not where a newer one is', async () => {
    const { receipt, at } = newReceipt();
    expect(await noteChange(table, at('2'))).toBe(true);
    expect(await noteChange(table, at('2'))).toBe(true);
    expect(await noteChange(table, at('1'))).toBe(false);
    expect(await latestChanges(table, [receipt])).toStrictEqual(
      new Map([[receiptPath(receipt), '2']]),
    );
    expect(await noteChange(table, at('3'))).toBe(true);
    expect(await latestChanges(table, [receipt])).toStrictEqual(
      new Map([[receiptPath(receipt), '3']]),
    );
  });

  it('is told of those receipts that have one', async () => {
    const [noted, other] = [newReceipt(), newReceipt()];
    await noteChange(table, noted.at('7'));
    const found = await latestChanges(table, [other.receipt, noted.receipt]);
    expect(found).toStrictEqual(new Map([[receiptPath(noted.receipt), '7']]));
  });

  it('is forgotten, unless a newer one has come', async () => {
    const { receipt, at } = newReceipt();
    await noteChange(table, at('2'));
    await forgetChange(table, at('1'));
    expect((await latestChanges(table, [receipt])).size).toBe(1);
    await forgetChange(table, at('2'));
    expect((await latestChanges(table, [receipt])).size).toBe(0);
    await forgetChange(table, at('2'));
  });

  it('lies in a row without a type, which no index has', async () => {
    const { receipt, at } = newReceipt();
    await noteChange(table, at('2'));
    expect(await table.get(latestChangeKey(receipt))).toStrictEqual({
      PK: `EMBEDDING#${receiptPath(receipt)}`,
      SK: 'ARRIVAL',
      latest_change: '2',
    });
  });
});
