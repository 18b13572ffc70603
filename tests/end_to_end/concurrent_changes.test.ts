import type { Row } from 'receipt-embedding/entities/keys';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { outcomesOf } from '../support/execution_histories.ts';
import { expectInvariants } from '../support/invariants.ts';
import { sharing } from '../support/shared_stacks.ts';
import { embeddableCount, smallReceipt, smallReceipts } from '../support/stack_receipts.ts';
import { finishedRun, type FinishedRun, TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

/** Runs a workflow, and does something else while it waits for OpenAI. */
async function whileEmbedding(work: () => Promise<void>): Promise<FinishedRun> {
  const answer = stack.breakOpenAI({ hang: true });
  const arn = await stack.local.start({});
  await requestsWaiting(1);
  await work();
  answer();
  return finishedRun(await stack.local.aws.stepFunctions.waitForExecution(arn));
}

async function requestsWaiting(count: number): Promise<void> {
  await vi.waitFor(
    () => {
      const waiting = stack.local.openai.requests.filter(({ status }) => status === 'pending');
      expect(waiting).toHaveLength(count);
    },
    { timeout: 30_000, interval: 20 },
  );
}

async function aWord(receipt: SyntheticReceipt): Promise<Row> {
  const words = await stack.rowsOfType('RECEIPT_WORD');
  const word = words.find(
    (row) => row.PK === `IMAGE#${receipt.receipt.image_id}` && row['is_noise'] === false,
  );
  if (word === undefined) throw new Error('the receipt has no word');
  return word;
}

async function statusesOf(receipt: SyntheticReceipt, { execution }: FinishedRun): Promise<unknown> {
  const outcome = (await outcomesOf(stack, execution.executionArn)).get(receipt.receipt.image_id);
  return outcome?.status === 'success' ? outcome.statuses : outcome;
}

/** The row as it is now. */
async function now({ PK, SK }: Row): Promise<Row | undefined> {
  return (await stack.rows()).find((row) => row.PK === PK && row.SK === SK);
}

describe('two executions at once', () => {
  it('over the same receipt, both waiting for OpenAI, record it once', async () => {
    await stack.load([smallReceipt()]);
    const answer = stack.breakOpenAI({ hang: true });
    const arns = [await stack.local.start({}), await stack.local.start({})];
    await requestsWaiting(2);
    answer();

    const runs = await Promise.all(
      arns.map(async (arn) =>
        finishedRun(await stack.local.aws.stepFunctions.waitForExecution(arn)),
      ),
    );

    expect(runs.map(({ summary }) => [summary.total, summary.failed])).toStrictEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(1);
    expect(stack.deltaKeys()).toHaveLength(2);
    await expectInvariants(stack);
  });

  it('leave alone a record that the compactor is at work on', async () => {
    await stack.load([smallReceipt()]);
    const answer = stack.breakOpenAI({ hang: true, times: 1 });
    const late = await stack.local.start({});
    await requestsWaiting(1);
    await stack.run();
    const [record] = await stack.rowsOfType('COMPACTION_RUN');
    if (record === undefined) throw new Error('no record');
    await stack.update(record, { lines_state: 'COMPLETED' });

    answer();
    const { summary } = finishedRun(await stack.local.aws.stepFunctions.waitForExecution(late));

    expect(summary).toMatchObject({ total: 1, failed: 0 });
    expect(await stack.rowsOfType('COMPACTION_RUN')).toStrictEqual([
      { ...record, lines_state: 'COMPLETED' },
    ]);
    await expectInvariants(stack);
  });

  it('over the same receipts record each once', async () => {
    await stack.load(smallReceipts(6));

    const runs = await Promise.all([stack.run(), stack.run()]);

    expect(runs.map(({ summary }) => [summary.total, summary.failed])).toStrictEqual([
      [6, 0],
      [6, 0],
    ]);
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(6);
    expect(stack.deltaKeys()).toHaveLength(12);
    await expectInvariants(stack);
  });
});

describe('a word with a status of somebody else’s', () => {
  it('PENDING is embedded, and SUCCESS from then on', async () => {
    const status = 'PENDING';
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);
    await stack.update(word, {
      embedding_status: status,
      GSI1PK: `EMBEDDING_STATUS#${status}`,
    });

    const run = await stack.run();

    expect(await statusesOf(receipt, run)).toStrictEqual({
      changed: embeddableCount(receipt),
      unchanged: 0,
      deleted: 0,
      edited: 0,
    });
    expect((await now(word))?.['embedding_status']).toBe('SUCCESS');
    await expectInvariants(stack);
  });

  it('FAILED stays so and costs nothing, until its text changes', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);
    await stack.update(word, {
      embedding_status: 'FAILED',
      GSI1PK: 'EMBEDDING_STATUS#FAILED',
    });
    const { text } = word as Row & { readonly text: string };
    const asked = () =>
      stack.local.openai.requests
        .flatMap(({ inputs }) => inputs)
        .filter((input) => input.startsWith(`<TARGET>${text}</TARGET>`)).length;
    const before = asked();

    const run = await stack.run();

    expect(await statusesOf(receipt, run)).toMatchObject({
      changed: embeddableCount(receipt) - 1,
      unchanged: 1,
    });
    expect(run.summary).toMatchObject({ succeeded: 1, failed: 0, refused: 1 });
    expect((await now(word))?.['embedding_status']).toBe('FAILED');
    expect(asked()).toBe(before);

    await stack.update(word, { text: 'Other' });
    await stack.run();

    expect((await now(word))?.['embedding_status']).toBe('SUCCESS');
    await expectInvariants(stack);
  });

  it('claimed by a batch in the meantime is SUCCESS in the end', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);

    const run = await whileEmbedding(async () => {
      await stack.update(word, {
        embedding_status: 'PENDING',
        GSI1PK: 'EMBEDDING_STATUS#PENDING',
      });
    });

    expect(await statusesOf(receipt, run)).toMatchObject({ changed: embeddableCount(receipt) });
    await expectInvariants(stack);
  });

  it('SUCCESS already is left as it is', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);

    const run = await whileEmbedding(async () => {
      await stack.update(word, {
        embedding_status: 'SUCCESS',
        GSI1PK: 'EMBEDDING_STATUS#SUCCESS',
      });
    });

    expect(await statusesOf(receipt, run)).toStrictEqual({
      changed: embeddableCount(receipt) - 1,
      unchanged: 1,
      deleted: 0,
      edited: 0,
    });
    await expectInvariants(stack);
  });

  it('SUCCESS from another system’s run is embedded with its receipt', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);
    await stack.update(word, { embedding_status: 'SUCCESS', GSI1PK: 'EMBEDDING_STATUS#SUCCESS' });

    const run = await stack.run();

    expect(await statusesOf(receipt, run)).toMatchObject({
      changed: embeddableCount(receipt) - 1,
      unchanged: 1,
    });
    await expectInvariants(stack);
  });
});

describe('a word that changes while its receipt is embedded', () => {
  it('by being deleted is counted, and does not come back', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);

    const run = await whileEmbedding(() => stack.delete(word));

    expect(run.summary).toMatchObject({ succeeded: 1, failed: 0 });
    expect(await statusesOf(receipt, run)).toStrictEqual({
      changed: embeddableCount(receipt) - 1,
      unchanged: 0,
      deleted: 1,
      edited: 0,
    });
    expect(await now(word)).toBeUndefined();
    await expectInvariants(stack);
  });

  it('by another text keeps its status, so that the next run embeds the receipt again', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);

    const run = await whileEmbedding(() => stack.update(word, { text: 'CORRECTED' }));

    expect(await statusesOf(receipt, run)).toStrictEqual({
      changed: embeddableCount(receipt) - 1,
      unchanged: 0,
      deleted: 0,
      edited: 1,
    });
    expect((await now(word))?.['embedding_status']).toBe('NONE');

    const again = await stack.run({ filter_by_embedding_status: 'NONE' });

    expect(again.summary).toMatchObject({ total: 1, succeeded: 1 });
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(2);
    await expectInvariants(stack);
  });

  it('by an attribute of another program’s keeps that attribute', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    const word = await aWord(receipt);

    await whileEmbedding(() => stack.update(word, { reviewed_by: 'somebody' }));

    expect(await now(word)).toStrictEqual({
      ...word,
      reviewed_by: 'somebody',
      embedding_status: 'SUCCESS',
      GSI1PK: 'EMBEDDING_STATUS#SUCCESS',
    });
    await expectInvariants(stack);
  });
});
