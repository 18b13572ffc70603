import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { compactionRunCodec, newCompactionRun } from '../entities/compaction_run.ts';
import { findCompactionRuns, recordCompactionRun } from './compaction_runs.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const content = '0b7e3f3a-1111-4222-8333-';
const at = new Date('2025-03-01T10:00:00Z');
const first = newCompactionRun(RECEIPT, `${content}444455556666`, at);
const again = newCompactionRun(RECEIPT, `${content}444455557777`, at);
const other = newCompactionRun(RECEIPT, '0b7e3f3a-1111-4222-8334-444455556666', at);
const elsewhere = newCompactionRun({ ...RECEIPT, receipt_id: 2 }, `${content}444455556666`, at);

const key = (runId: string) => ({
  PK: `IMAGE#${RECEIPT.image_id}`,
  SK: `RECEIPT#00001#COMPACTION_RUN#${runId}`,
});

describe('the record of a run', () => {
  it('is written once: a second try says so and leaves what the compactor made of it', async () => {
    expect(await recordCompactionRun(table, first)).toBe(true);
    const merged = { ...(await table.get(key(first.run_id))), lines_state: 'COMPLETED' };
    await table.put({ ...key(first.run_id), ...merged });

    expect(await recordCompactionRun(table, first)).toBe(false);
    expect(await table.get(key(first.run_id))).toStrictEqual(merged);
  });

  it('is found by the beginning of its id, among the runs of its receipt alone', async () => {
    for (const run of [again, other, elsewhere]) {
      expect(await recordCompactionRun(table, run)).toBe(true);
    }

    const found = await findCompactionRuns(table, RECEIPT, content);

    expect(found).toStrictEqual([
      { run_id: first.run_id, failed: false },
      { run_id: again.run_id, failed: false },
    ]);
    expect(await findCompactionRuns(table, RECEIPT, 'ffffffff')).toStrictEqual([]);
  });

  it.each(['lines_state', 'words_state'])(
    'says that the compactor failed at it (%s)',
    async (state) => {
      const receipt = { ...RECEIPT, receipt_id: 4 };
      const row = z.encode(
        compactionRunCodec,
        newCompactionRun(receipt, first.run_id, new Date(0)),
      );
      await table.put({ ...row, [state]: 'FAILED' });

      expect(await findCompactionRuns(table, receipt, content)).toStrictEqual([
        { run_id: first.run_id, failed: true },
      ]);
    },
  );

  it('that can not be read still stands for its run, so that it is not paid for again', async () => {
    const receipt = { ...RECEIPT, receipt_id: 3 };
    const broken = { ...key(first.run_id), SK: `RECEIPT#00003#COMPACTION_RUN#${first.run_id}` };
    await table.put({ ...broken, TYPE: 'COMPACTION_RUN', lines_state: 'LOST' });

    expect(await findCompactionRuns(table, receipt, content)).toStrictEqual([
      { run_id: first.run_id, failed: false },
    ]);
  });
});
