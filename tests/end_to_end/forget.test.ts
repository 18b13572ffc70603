import { receiptPath } from 'receipt-embedding/entities/keys';
import { beforeEach, describe, expect, it } from 'vitest';
import { BatchStack } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { runReceipts, runStatus } from '../support/stack_commands.ts';
import { receiptOfLines } from '../support/stack_receipts.ts';
import { storeContents } from '../support/stack_stores.ts';

// Proved here: the command as a person runs it, in a process of its own, over all that both paths leave. Not proved: old versions, which
// the embedded S3 does not have (packages/cli/forget/forget.test.ts does).

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

/** The rows, objects and vectors in which a receipt is named, its own rows aside. */
async function held(receipt: { readonly image_id: string; readonly receipt_id: number }) {
  const path = receiptPath(receipt);
  const { aws, bucket, batchBucket } = stack.local;
  const types = ['EMBEDDED_RECEIPT', 'EMBEDDING_BATCH_RESULT', 'COMPACTION_RUN'];
  const rows = (await stack.rows()).filter(({ TYPE }) => types.includes(String(TYPE)));
  const deltas = stack.deltaKeys().filter((key) => {
    const { metadata = {} } = aws.s3.getObject(bucket, key) ?? {};
    return metadata['image_id'] === receipt.image_id;
  });
  const files = aws.s3
    .listKeys(batchBucket, 'batches/')
    .filter((key) => aws.s3.getObject(batchBucket, key)?.body.includes(`${path}#`));
  const stores = (await storeContents(stack.local))
    .filter(({ lines }) => lines.has(`${path}#LINE#00001`))
    .map(({ name }) => name);
  return {
    rows: rows.filter((row) => JSON.stringify(row).includes(receipt.image_id)).length,
    deltas: deltas.length,
    files: files.length,
    stores,
  };
}

const NOTHING = { rows: 0, deltas: 0, files: 0, stores: [] };

describe('receipts forget', () => {
  it('removes all that both paths hold of a receipt, nothing of another, and the next run embeds it again', async () => {
    const [one, other] = [receiptOfLines('MILK 3.99', 'TOTAL 3.99'), receiptOfLines('EGGS 4.10')];
    await stack.load([one, other]);
    await stack.submit();
    await stack.pollUntilDone();
    await stack.run({ force: true });
    const before = await held(other.receipt);
    const { image_id, receipt_id } = one.receipt;
    expect(await held(one.receipt)).toMatchObject({ stores: ['s3_vectors', 'pinecone'] });

    const { exit, stdout, stderr } = await runReceipts(
      stack,
      ...['forget', image_id, String(receipt_id), '--yes', '--json'],
    );

    expect([exit, stderr]).toStrictEqual([0, expect.stringContaining('Held of it:')]);
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      held: { rows_remain: true, unreachable_stores: [], record: true, compaction_runs: 1 },
      erased: { batch_files: { lines: expect.any(Number) as unknown }, record: true },
    });
    expect(await held(one.receipt)).toStrictEqual(NOTHING);
    expect(await held(other.receipt)).toStrictEqual(before);
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 3 });

    const again = await runReceipts(stack, 'forget', image_id, String(receipt_id));
    expect([again.exit, again.stdout]).toStrictEqual([
      0,
      expect.stringContaining('Nothing is held of it.'),
    ]);
    const [{ summary }, requests] = await stack.countingRequests(() => stack.run());
    expect([summary.succeeded, requests > 0]).toStrictEqual([1, true]);
    expect(await held(one.receipt)).toMatchObject({ stores: ['s3_vectors', 'pinecone'] });
    const full = { lacks: 0, unsettled: 0 };
    expect(await runStatus(stack, '--no-entities', '--stores')).toMatchObject({
      stores: {
        receipts: 2,
        stores: [
          { name: 's3_vectors', ...full },
          { name: 'pinecone', ...full },
        ],
        invalid_rows: 0,
      },
    });
  });

  it('is refused while a batch has the receipt', async () => {
    const { receipt, ...rest } = receiptOfLines('MILK 3.99');
    await stack.load([{ receipt, ...rest }]);
    await stack.submit();

    const { exit, stderr } = await runReceipts(stack, 'forget', receipt.image_id, '1', '--yes');

    expect(exit).toBe(2);
    expect(stderr).toContain('npx receipts execute batch-poll');
    expect(await stack.statuses()).toStrictEqual({ PENDING: 1 });
  });
});
