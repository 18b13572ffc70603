import { test } from 'vitest';
import { BatchStack } from './batch_stack.ts';
import { LINE_TOKENS } from './stack_receipts.ts';

/**
 * Stacks that the test files of a worker share, since deploying one takes as long as a dozen executions. Each test begins with
 * `reset`. A file takes one so:
 *
 * @example
 *   let stack: BatchStack;
 *
 *   sharing.beforeAll(({ usual }) => {
 *     stack = usual;
 *   });
 */
export const sharing = test
  .extend('usual', { scope: 'worker' }, async ({}, { onCleanup }) => {
    const stack = await BatchStack.start();
    onCleanup(() => stack.close());
    return stack;
  })
  /** One batch at a time, with room for three lines: a receipt of two is a batch of its own. */
  .extend('smallBatches', { scope: 'worker' }, async ({}, { onCleanup }) => {
    const stack = await BatchStack.start({
      config: { batch_max_concurrency: '1', batch_max_tokens: String(3 * LINE_TOKENS) },
    });
    onCleanup(() => stack.close());
    return stack;
  });
