import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBatch, ourBatch, rowOfBatch } from '../../tests/support/batch_factory.ts';
import { ReceiptTable } from '../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../tests/support/recorders.ts';
import { deleteFiles } from './openai_objects.ts';

let table: ReceiptTable;
beforeAll(async () => {
  table = await ReceiptTable.start();
});
afterAll(() => table.close());

const FILES = { input_file_id: 'file-1', result_file_id: 'file-2', error_file_id: 'file-3' };

/** Which files are deleted of a batch; and what is logged. */
async function deleted(
  batch: ReturnType<typeof ourBatch>,
  { keep = false, fails = false } = {},
): Promise<{ readonly files: string[]; readonly logged: number }> {
  await table.put(rowOfBatch(batch));
  const files: string[] = [];
  const remove = (id: string): Promise<object> => {
    if (fails) return Promise.reject(new Error('no'));
    files.push(id);
    return Promise.resolve({ id });
  };
  const logger = new RecordingLogger();
  await deleteFiles(batch.batch_id, {
    environment: { KEEP_OPENAI_FILES: keep },
    table,
    openai: () => ({ files: { delete: remove } }) as unknown as OpenAI,
    logger,
  });
  return { files, logged: logger.entries.length };
}

const ended = ourBatch({ status: 'COMPLETED', ...FILES });

describe('the files of a batch at OpenAI', () => {
  it('are deleted once it has ended: input, output and errors', async () => {
    expect(await deleted(ended)).toStrictEqual({ files: Object.values(FILES), logged: 0 });
  });

  it.each([
    ['where the stack keeps them', ended, { keep: true }],
    ['as long as it has not ended', ourBatch({ status: 'IN_PROGRESS', ...FILES }), {}],
    ['of an older system', aBatch({ status: 'COMPLETED', ...FILES }), {}],
  ])('stay %s', async (_, batch, settings) => {
    expect(await deleted(batch, settings)).toStrictEqual({ files: [], logged: 0 });
  });

  it('are left to OpenAI where deleting them fails, which is said and undoes no end', async () => {
    expect(await deleted(ended, { fails: true })).toStrictEqual({ files: [], logged: 1 });
  });
});
