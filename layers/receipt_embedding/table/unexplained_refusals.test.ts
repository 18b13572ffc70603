import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aLine } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { noteUnexplained } from './unexplained_refusals.ts';

let table: ReceiptTable;
beforeAll(async () => {
  table = await ReceiptTable.start();
});
afterAll(() => table.close());

const line = aLine({ embedding_status: 'PENDING' });
const row = rowOf.line(line);
const claimedBy = (batch: string, changes: object = {}) =>
  table.put({ ...row, embedding_batch_id: batch, ...changes });

beforeEach(() => claimedBy('batch-1'));

describe('a refusal without a known reason', () => {
  it('is counted once for each batch, whatever is repeated', async () => {
    expect(await noteUnexplained(table, row, line.text, 'batch-1')).toBe(1);
    expect(await noteUnexplained(table, row, line.text, 'batch-1')).toBe(1);
    const embedding_refused_in = (await table.get(row))?.['embedding_refused_in'];
    await claimedBy('batch-2', { embedding_refused_in });

    expect(await noteUnexplained(table, row, line.text, 'batch-2')).toBe(2);
  });

  it('is another text’s, where the row says something else than in an earlier batch', async () => {
    await noteUnexplained(table, row, line.text, 'batch-1');
    const embedding_refused_in = (await table.get(row))?.['embedding_refused_in'];
    await claimedBy('batch-2', { embedding_refused_in, text: 'BREAD' });

    expect(await noteUnexplained(table, row, 'BREAD', 'batch-2')).toBe(1);
  });

  it.each([
    ['edited', { text: 'BREAD' }],
    ['claimed by another batch', { embedding_batch_id: 'batch-9' }],
  ])('is not noted on a row that was %s meanwhile', async (_, changes) => {
    await claimedBy('batch-1', changes);

    expect(await noteUnexplained(table, row, line.text, 'batch-1')).toBe(0);
    expect((await table.get(row))?.['embedding_refused_in']).toBeUndefined();
  });
});
