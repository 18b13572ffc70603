import type { JsonValue } from '../data/json_value.ts';
import type { CompiledBlock } from '../definition/compiled_block.ts';
import type { MapState } from '../definition/definition.ts';
import { concurrencyOf, inputItems, selectItem } from '../distributed_map/map_settings.ts';
import { runBlock } from '../execution/block_run.ts';
import type { Frame, MapItem } from '../execution/frame.ts';
import { maxInlineConcurrency } from '../execution/limits.ts';
import { runTogether } from '../execution/run_together.ts';

/**
 * Runs the item processor once for each item, within this execution and its history.
 *
 * @returns the outputs in the order of the items.
 * @throws StateError of the first iteration that fails; the others are aborted.
 */
export async function runInlineMap(
  name: string,
  state: MapState,
  inner: readonly CompiledBlock[],
  input: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): Promise<JsonValue[]> {
  const items = inputItems(state, input, frame);
  const concurrency = Math.min(
    concurrencyOf(state, input, frame) || maxInlineConcurrency,
    maxInlineConcurrency,
  );
  frame.record('MapStateStarted', { length: items.length });
  const start = frame.inner(signal);
  const runOne = async (index: number, own: AbortSignal): Promise<JsonValue> => {
    const item: MapItem = { index, value: items[index] ?? null };
    const iteration = start.inner(own, item);
    iteration.record('MapIterationStarted', { name, index });
    try {
      const itemInput = selectItem(state, input, item, iteration);
      const output = await Promise.all(inner.map((block) => runBlock(block, itemInput, iteration)));
      iteration.record('MapIterationSucceeded', { name, index });
      return output[0] ?? null;
    } catch (error) {
      iteration.record(own.aborted ? 'MapIterationAborted' : 'MapIterationFailed', { name, index });
      throw error;
    } finally {
      frame.continueAfter(iteration);
    }
  };
  try {
    const outputs = await runTogether(items.length, concurrency, signal, runOne);
    frame.record('MapStateSucceeded');
    return outputs;
  } catch (error) {
    if (!signal.aborted) frame.record('MapStateFailed');
    throw error;
  }
}
