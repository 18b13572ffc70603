import type { Row } from 'receipt-embedding/entities/keys';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectInvariants, receiptOf } from '../support/invariants.ts';
import { nth } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipts } from '../support/stack_receipts.ts';
import { TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

const RECEIPTS = 4;

beforeEach(async () => {
  await stack.reset();
  await stack.load(smallReceipts(RECEIPTS));
});

async function records(): Promise<Row[]> {
  return await stack.rowsOfType('COMPACTION_RUN');
}

async function aWordToEmbed(): Promise<Row> {
  const words = await stack.rowsOfType('RECEIPT_WORD');
  const word = words.find((row) => row['is_noise'] === false);
  if (word === undefined) throw new Error('no receipt has a word');
  return word;
}

describe('a second execution over the same receipts', () => {
  it('asks OpenAI nothing, writes nothing, and reports every receipt as reused', async () => {
    const [first, paid] = await stack.countingRequests(() => stack.run());
    expect(first.summary).toMatchObject({ total: RECEIPTS, succeeded: RECEIPTS, reused: 0 });
    expect(paid).toBe(RECEIPTS);
    const before = { rows: await stack.rows(), deltas: stack.deltaKeys() };

    const [{ execution, summary }, requests] = await stack.countingRequests(() => stack.run());

    expect(execution.status).toBe('SUCCEEDED');
    expect(summary).toMatchObject({
      total: RECEIPTS,
      succeeded: 0,
      reused: RECEIPTS,
      skipped: 0,
      failed: 0,
      lines: first.summary.lines,
      words: first.summary.words,
      vectors: 0,
      openai_requests: 0,
      prompt_tokens: 0,
      estimated_cost_usd: 0,
    });
    expect(requests).toBe(0);
    expect({ rows: await stack.rows(), deltas: stack.deltaKeys() }).toStrictEqual(before);
    expect(before.deltas).toHaveLength(2 * RECEIPTS);
    await expectInvariants(stack);
  });

  it('embeds exactly the receipt again that has a word with another text', async () => {
    await stack.run();
    const before = await records();
    const word = await aWordToEmbed();
    await stack.update(word, { text: 'CORRECTED' });

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run());

    expect(summary).toMatchObject({ total: RECEIPTS, succeeded: 1, reused: RECEIPTS - 1 });
    expect(requests).toBe(1);
    const added = (await records()).filter(({ SK }) => !before.some((row) => row.SK === SK));
    expect(added.map(receiptOf)).toStrictEqual([receiptOf(word)]);
    expect(stack.deltaKeys()).toHaveLength(2 * RECEIPTS + 2);
    await expectInvariants(stack);
  });

  it('leaves alone a run that the compactor failed at: its deltas are right, and the compactor’s to try again', async () => {
    await stack.run();
    const [failed] = await records();
    if (failed === undefined) throw new Error('no record');
    await stack.update(failed, { words_state: 'FAILED' });
    const before = await stack.rows();

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run());

    expect([summary.succeeded, summary.reused, requests]).toStrictEqual([0, RECEIPTS, 0]);
    expect(await stack.rows()).toStrictEqual(before);
    await expectInvariants(stack);
  });
});

describe('a forced execution', () => {
  it('embeds every receipt again', async () => {
    await stack.run();

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run({ force: true }));

    expect(summary).toMatchObject({ total: RECEIPTS, succeeded: RECEIPTS, reused: 0 });
    expect(requests).toBe(RECEIPTS);
    expect(await records()).toHaveLength(2 * RECEIPTS);
    expect(stack.deltaKeys()).toHaveLength(4 * RECEIPTS);
    await expectInvariants(stack, [], 2);
  });

  it('leaves nothing to do for an ordinary one', async () => {
    await stack.run({ force: true });

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run());

    expect(summary).toMatchObject({ succeeded: 0, reused: RECEIPTS });
    expect(requests).toBe(0);
    await expectInvariants(stack);
  });

  it('embeds a receipt once, however often it has to try', async () => {
    await stack.run();
    // The function fails after the record is written, and the state machine tries again.
    stack.breakAws({
      when: nth('a status'),
      status: 503,
      code: 'ServiceUnavailable',
    });
    // All statuses are SUCCESS already: one is put back, so that there is one to update.
    const word = await aWordToEmbed();
    await stack.update(word, { embedding_status: 'NONE', GSI1PK: 'EMBEDDING_STATUS#NONE' });

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run({ force: true }));

    expect(summary).toMatchObject({ succeeded: RECEIPTS - 1, failed: 1 });
    expect(requests).toBe(RECEIPTS);
    expect(await records()).toHaveLength(2 * RECEIPTS);
    await expectInvariants(stack, summary.failures, 2);
  });
});
