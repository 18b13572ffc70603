import { syntheticReceipts } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { describe, expect, it } from 'vitest';
import { expectInvariants } from '../support/invariants.ts';
import { sharing } from '../support/shared_stacks.ts';
import { shuffleAnswers } from '../support/shuffled_answers.ts';
import { storedRuns } from '../support/stored_vectors.ts';
import { TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

/** All that a run over these receipts made: what OpenAI was asked, and what was stored under which ids. */
async function madeOf(receipts: Parameters<TestStack['load']>[0]): Promise<unknown> {
  await stack.reset();
  await stack.load(receipts);
  const before = stack.local.openai.requests.length;
  const { summary } = await stack.run();
  expect(summary).toMatchObject({ failed: 0, reused: 0 });
  const runs = await storedRuns(stack);
  await expectInvariants(stack);
  return {
    requests: stack.local.openai.requests
      .slice(before)
      .map(({ inputs }) => inputs)
      .sort((a, b) => (String(a) < String(b) ? -1 : 1)),
    runs: runs
      .map(({ run, lines, words }) => ({ id: run.SK, lines, words }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

describe('the order in which rows come back', () => {
  it('changes no input, no vector and no run id', async () => {
    const receipts = [...syntheticReceipts({ count: 3, seed: 'order', words: 40 })];
    const plain = await madeOf(receipts);

    for (const seed of [1, 2]) {
      const end = shuffleAnswers(stack, seed);
      try {
        expect(await madeOf(receipts)).toStrictEqual(plain);
      } finally {
        end();
      }
    }
  });
});
