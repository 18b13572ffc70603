import type { JsonValue } from '../data/json_value.ts';
import type { CompiledBlock } from '../definition/compiled_block.ts';
import { runBlock } from '../execution/block_run.ts';
import type { Frame } from '../execution/frame.ts';
import { runTogether } from '../execution/run_together.ts';

/**
 * Runs every branch with the same input.
 *
 * @returns the outputs of the branches, in their order.
 * @throws StateError of the first branch that fails; the others are aborted.
 */
export async function runParallel(
  branches: readonly CompiledBlock[],
  input: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): Promise<JsonValue[]> {
  frame.record('ParallelStateStarted');
  // Every branch begins after ParallelStateStarted, whichever branch has ended by then.
  const start = frame.inner(signal);
  try {
    const outputs = await runTogether(
      branches.length,
      branches.length,
      signal,
      async (index, own) => {
        const inner = start.inner(own);
        const branch = branches[index];
        if (branch === undefined) throw new RangeError(`no branch ${index}`);
        try {
          return await runBlock(branch, input, inner);
        } finally {
          frame.continueAfter(inner);
        }
      },
    );
    frame.record('ParallelStateSucceeded');
    return outputs;
  } catch (error) {
    if (!signal.aborted) frame.record('ParallelStateFailed');
    throw error;
  }
}
