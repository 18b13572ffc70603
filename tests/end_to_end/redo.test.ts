import { beforeEach, describe, expect, it } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { runRedo, runStatus } from '../support/stack_commands.ts';
import { receiptOfLines } from '../support/stack_receipts.ts';

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

/** A receipt of four lines, of which the batch embeds two; the inputs of the others are refused. */
async function refuseTwoOfFour(): Promise<string> {
  const receipt = receiptOfLines('MILK 3.99', 'BREAD 2.50', 'EGGS 4.10', 'TOTAL 10.59');
  await stack.load([receipt]);
  const end = stack.script({ rows: (_, at) => (at < 2 ? 'refused' : 'ok') });
  await stack.submit();
  await stack.pollUntilDone();
  end();
  expect(await stack.statuses()).toStrictEqual({ FAILED: 2, SUCCESS: 2 });
  return (await stack.batch()).batch_id;
}

const linesBy = (NONE: number, PENDING: number, SUCCESS: number, FAILED: number) => ({
  entities: { lines: { NONE, PENDING, SUCCESS, FAILED, NOISE: 0 } },
});

describe('what failed in a batch', () => {
  it('is done again by the next batch once it is put back, and status shows each step', async () => {
    const batchId = await refuseTwoOfFour();
    expect(await runStatus(stack)).toMatchObject({
      ...linesBy(0, 0, 2, 2),
      batches: { ended: [{ status: 'COMPLETED', lines: 1, words: 0 }, {}, {}, {}] },
      executions: {
        batch_submit: expect.arrayContaining([
          expect.objectContaining({ status: 'SUCCEEDED' }),
        ]) as unknown,
      },
    });

    expect(await runRedo(stack, 'batch', batchId)).toMatchObject({
      planned: { total: 2, lines: { FAILED: 2 } },
      done: { lines: 2, changed_meanwhile: 0 },
      next: ['npx receipts execute realtime --filter NONE', 'npx receipts execute batch-submit'],
    });
    expect(await runStatus(stack)).toMatchObject(linesBy(2, 0, 2, 0));
    expect(await runRedo(stack, 'batch', batchId)).toMatchObject({
      planned: { total: 0 },
      done: null,
    });

    expect(await stack.submit()).toMatchObject({ submitted: 1, requested: 2 });
    expect(await runStatus(stack)).toMatchObject({
      ...linesBy(0, 2, 2, 0),
      batches: { active: [{}, { status: 'PENDING', lines: 1 }, {}, {}, {}, {}], troubled: [] },
    });
    await stack.pollUntilDone();
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 4 });
    expect((await stack.vectors()).lines.size).toBe(4);
    await expectBatchInvariants(stack);
  });

  it('is submitted again as a whole under the next id, where all of the batch failed', async () => {
    await stack.load([receiptOfLines('MILK 3.99', 'BREAD 2.50')]);
    const end = stack.script({ otherwise: 'refused' });
    await stack.submit();
    await stack.pollUntilDone();
    end();

    await runRedo(stack, 'failed');
    await stack.submit();
    await stack.pollUntilDone();

    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 2 });
    expect(
      (await stack.batches()).map(({ succeeded, failed }) => [succeeded, failed]),
    ).toStrictEqual([
      [0, 2],
      [2, 0],
    ]);
    await expectBatchInvariants(stack);
  });

  it('is done by a realtime run with the filter NONE, which finds that receipt alone', async () => {
    await refuseTwoOfFour();
    await runRedo(stack, 'failed');
    await stack.load([]);

    const { summary } = await stack.run({ filter_by_embedding_status: 'NONE' });

    expect(summary).toMatchObject({ total: 1, succeeded: 1, reused: 0, failed: 0 });
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 4 });
    expect(await runStatus(stack)).toMatchObject({
      ...linesBy(0, 0, 4, 0),
      runs: { runs: 1, lines: { PENDING: 1 } },
    });
  });

  it('and what a batch that has ended still has claimed is found by its receipt', async () => {
    const batchId = await refuseTwoOfFour();
    const [failed] = (await stack.entities()).filter((row) => row.status === 'FAILED');
    if (failed === undefined) throw new Error('nothing failed');
    // As a submission leaves it that was given up while it went on.
    await stack.update(failed, {
      embedding_status: 'PENDING',
      GSI1PK: 'EMBEDDING_STATUS#PENDING',
      embedding_batch_id: batchId,
    });

    const image = failed.PK.slice('IMAGE#'.length);
    expect(await runRedo(stack, 'receipt', image, '1')).toMatchObject({
      planned: { total: 2, lines: { FAILED: 1, PENDING: 1 } },
      done: { lines: 2 },
    });

    await stack.submit();
    await stack.pollUntilDone();
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 4 });
  });
});
