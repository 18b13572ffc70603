import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { newCompactionRun } from '../entities/compaction_run.ts';
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
    const logger = new RecordingLogger();

    const found = await findCompactionRuns(table, RECEIPT, content, logger);

    expect(found).toStrictEqual([{ ...first, lines_state: 'COMPLETED' }, again]);
    expect(await findCompactionRuns(table, RECEIPT, 'ffffffff', logger)).toStrictEqual([]);
    expect(logger.entries).toStrictEqual([]);
  });

  it('that can not be read is skipped and logged', async () => {
    const receipt = { ...RECEIPT, receipt_id: 3 };
    const broken = { ...key(first.run_id), SK: `RECEIPT#00003#COMPACTION_RUN#${first.run_id}` };
    await table.put({ ...broken, TYPE: 'COMPACTION_RUN', lines_state: 'LOST' });
    const logger = new RecordingLogger();

    expect(await findCompactionRuns(table, receipt, content, logger)).toStrictEqual([]);
    expect(logger.keys).toStrictEqual([broken]);
  });
});
