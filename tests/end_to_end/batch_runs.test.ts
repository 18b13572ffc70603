import type { Workflow } from 'receipts-cli/local_stack';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { aWord } from '../support/receipt_factory.ts';
import { sharing } from '../support/shared_stacks.ts';
import { lineReceipts, receiptOfLines } from '../support/stack_receipts.ts';

const LINES = 2;

let stack: BatchStack;

sharing.beforeAll(({ smallBatches }) => {
  stack = smallBatches;
});

beforeEach(async () => {
  await stack.reset();
});

describe('twenty batches, four of them bad', () => {
  it('are polled each for itself: the bad ones are recorded with their reasons, and stop no other', async () => {
    await stack.load(lineReceipts(20, LINES));
    expect(await stack.submit()).toMatchObject({
      total: 20,
      submitted: 20,
      failed: 0,
      receipts: 20,
      planned: 40,
      requested: 40,
    });
    const [unknown, gone, broken, forbidden] = await stack.batches();
    if (!unknown || !gone || !broken || !forbidden) throw new Error('there are no twenty batches');
    // A 404 is believed only past the batch's expiry.
    for (const { batch_id } of [unknown, gone]) {
      await stack.updateBatch(batch_id, { submitted_at: '2025-01-01T00:00:00.000+00:00' });
    }
    stack.script({ gone: true }, ({ id }) => id === unknown.openai_batch_id);
    stack.script({ outputFile: 'gone' }, ({ id }) => id === gone.openai_batch_id);
    stack.script({ otherwise: 'malformed' }, ({ id }) => id === broken.openai_batch_id);
    const file = stack.openaiBatches(forbidden.batch_id)[0]?.outputFileId;
    stack.breakOpenAI({ on: 'files.content', status: 401, when: ({ id }) => id === file });

    const polled = await stack.poll();

    const { failures, prompt_tokens, estimated_cost_usd, results, ...summary } = polled;
    expect(summary).toStrictEqual({
      total: 20,
      completed: 19,
      running: 0,
      failed: 1,
      not_tried: 0,
      stopped: null,
      failed_percentage: 5,
      failures_by_reason: { InvalidConfiguration: 1 },
      requested: 38,
      succeeded: 32,
      rows_failed: 0,
      released: 6,
      more: false,
      invalid_rows: 0,
    });
    expect(failures.map(({ batch_id, error }) => [batch_id, error])).toStrictEqual([
      [forbidden.batch_id, 'InvalidConfiguration'],
    ]);
    expect(prompt_tokens).toBeGreaterThan(0);
    expect(estimated_cost_usd).toBeGreaterThan(0);
    expect(results?.bucket).toBe(stack.local.batchBucket);
    const batches = new Map((await stack.batches()).map((batch) => [batch.batch_id, batch]));
    const lost = { requested: LINES, succeeded: 0, failed: 0, released: LINES };
    expect(batches.get(unknown.batch_id)).toMatchObject({
      status: 'FAILED',
      reason: `OpenAI knows no batch ${unknown.openai_batch_id}`,
      ...lost,
    });
    expect(batches.get(gone.batch_id)).toMatchObject({
      status: 'FAILED',
      reason: expect.stringMatching(/^OpenAI does not have the file file-\w+ any more$/) as string,
      ...lost,
    });
    expect(batches.get(broken.batch_id)).toMatchObject({
      status: 'COMPLETED',
      reason: `rows of its results that can not be read: ${LINES}`,
      ...lost,
    });
    expect(batches.get(forbidden.batch_id)).toMatchObject({
      status: 'PENDING',
      last_error: expect.stringMatching(/^InvalidConfiguration: OpenAI/) as string,
    });
    expect(batches.get(forbidden.batch_id)?.claimed_by).toBeUndefined();
    expect([...batches.values()].filter(({ succeeded }) => succeeded === LINES)).toHaveLength(16);
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 32, NONE: 6, PENDING: 2 });
    await expectBatchInvariants(stack);

    stack.endFaults();
    expect(await stack.submit()).toMatchObject({ submitted: 3, requested: 6 });
    expect(await stack.poll()).toMatchObject({ total: 4, completed: 4, succeeded: 8, released: 0 });
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 40 });
    await expectBatchInvariants(stack);
  });

  it('fail the poll when more of them fail than are tolerated, with the summary as its cause', async () => {
    await stack.load(lineReceipts(2, LINES));
    await stack.submit();
    stack.breakOpenAI({ on: 'batches.retrieve', status: 401, times: 1 });

    const { status, error, cause = '' } = await stack.local.execute({}, 'batchPoll');

    expect([status, error]).toStrictEqual(['FAILED', 'TooManyFailed']);
    expect(JSON.parse(cause)).toMatchObject({ total: 2, completed: 1, failed: 1 });
    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, failed: 0 });
    await expectBatchInvariants(stack);
  });
});

describe('a submission', () => {
  /** Two receipts, each of two lines and two words. */
  function receiptsWithWords(): SyntheticReceipt[] {
    return lineReceipts(2, LINES).map((receipt) => ({
      ...receipt,
      words: receipt.lines.map(({ image_id, receipt_id, line_id }) =>
        aWord({ image_id, receipt_id, line_id }),
      ),
    }));
  }

  it.each([
    // The prompt of a word is longer than a batch may be here, so each goes alone.
    ['lines', 2, 'RECEIPT_LINE'],
    ['words', 4, 'RECEIPT_WORD'],
  ] as const)('of %s alone leaves the others to a later one', async (entity, batches, type) => {
    await stack.load(receiptsWithWords());

    const submitted = await stack.submit({ entity });
    await stack.poll();

    expect(submitted).toMatchObject({
      total: batches,
      receipts: 2,
      planned: 4,
      requested: 4,
      more: false,
    });
    const embedded = (await stack.entities()).filter(({ status }) => status === 'SUCCESS');
    expect(embedded.map((row) => row['TYPE'])).toStrictEqual(Array(4).fill(type));
    expect([...(await stack.vectors())[entity].keys()].sort()).toStrictEqual(
      embedded.map(({ id }) => id).sort(),
    );
    expect((await stack.submit()).requested).toBe(4);
    await expectBatchInvariants(stack);
  });

  it('with a limit takes so many receipts that have something to do, and says that there are more', async () => {
    await stack.load(lineReceipts(3, LINES));

    const submissions = [];
    for (let i = 0; i < 3; i++) submissions.push(await stack.submit({ limit: 1, entity: 'both' }));

    expect(submissions.map(({ receipts, requested, more }) => [receipts, requested, more])).toEqual(
      [
        [1, LINES, true],
        [1, LINES, true],
        [1, LINES, false],
      ],
    );
    expect(await stack.statuses()).toStrictEqual({ PENDING: 3 * LINES });
    await expectBatchInvariants(stack);
  });

  it('embeds the receipt of an unreadable row but for that row, which is counted and named in the log', async () => {
    await stack.load(lineReceipts(1, LINES));
    const [line] = await stack.rowsOfType('RECEIPT_LINE');
    if (line === undefined) throw new Error('the receipt has no line');
    const SK = line.SK.replace(/\d+$/, '00099');
    await stack.put({ ...line, SK, GSI1SK: `LINE#${line.PK}#${SK}`, text: 42 });

    const submitted = await stack.submit();

    expect(submitted).toMatchObject({ requested: LINES, invalid_rows: 1 });
    expect(stack.logs.filter((log) => log.includes('"WARN"') && log.includes(SK))).toHaveLength(1);
    await stack.delete({ PK: line.PK, SK });
    await stack.poll();
    await expectBatchInvariants(stack);
  });
});

describe('with nothing to do', () => {
  const nothing = {
    total: 0,
    failed: 0,
    not_tried: 0,
    stopped: null,
    failed_percentage: 0,
    failures: [],
    failures_by_reason: {},
    more: false,
  };

  it('a submission submits nothing', async () => {
    await stack.load([{ ...receiptOfLines(' '), words: [] }]);

    expect(await stack.submit()).toStrictEqual({
      ...nothing,
      submitted: 0,
      dropped: 0,
      planned: 0,
      requested: 0,
      receipts: 0,
      invalid_rows: 0,
    });
    expect(await stack.statuses()).toStrictEqual({ NONE: 1 });
  });

  it('a poll polls nothing', async () => {
    expect(await stack.poll()).toStrictEqual({
      ...nothing,
      completed: 0,
      running: 0,
      requested: 0,
      succeeded: 0,
      rows_failed: 0,
      released: 0,
      prompt_tokens: 0,
      estimated_cost_usd: 0,
      invalid_rows: 0,
    });
  });
});

describe('a poll', () => {
  it('counts the records of batches that can not be read, and polls the others', async () => {
    await stack.load(lineReceipts(1, LINES));
    await stack.submit();
    const [row] = await stack.rowsOfType('BATCH_SUMMARY');
    if (row === undefined) throw new Error('there is no batch');
    const broken = { ...row, PK: `${row.PK}-broken`, submitted_at: 'yesterday' };
    await stack.put(broken);

    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, invalid_rows: 1 });

    expect(await stack.rowsOfType('BATCH_SUMMARY')).toContainEqual(broken);
    await stack.delete(broken);
    expect(await stack.poll()).toMatchObject({ total: 0, invalid_rows: 0 });
    await expectBatchInvariants(stack);
  });
});

describe('an input that is wrong', () => {
  it.each<[Workflow, Record<string, unknown>, string]>([
    ['batchSubmit', { limit: 0, entity: 'letters' }, 'limit: .*; entity: .*'],
    ['batchSubmit', { limits: 1 }, '.*limits.*'],
    ['batchPoll', { limit: 1 }, '.*limit.*'],
  ])('fails %s with all that is wrong with %j', async (workflow, input, problems) => {
    const { status, error, cause = '' } = await stack.local.execute(input, workflow);

    // The fixed name of an execution that a step failed; the original error is in its cause.
    expect([status, error]).toStrictEqual(['FAILED', 'RunFailed']);
    const original = JSON.parse(cause) as { Error: string; Cause: string };
    expect(original.Error).toBe('InvalidRequest');
    const { errorMessage } = JSON.parse(original.Cause) as { errorMessage: string };
    expect(errorMessage).toMatch(new RegExp(`^the input is wrong: ${problems}$`));
  });
});
