import { type JsonValue, requirePayloadLimit } from '../data/json_value.ts';
import type { MapState } from '../definition/definition.ts';
import { StateError } from '../state_error.ts';
import type { Frame, MapItem } from './frame.ts';

/**
 * The items of a Map without ItemReader: what ItemsPath points to, or the input.
 *
 * @throws StateError States.Runtime when that is no array.
 */
export function inputItems(state: MapState, input: JsonValue, frame: Frame): JsonValue[] {
  const items = state.ItemsPath === undefined ? input : state.ItemsPath(frame.scope(input));
  if (Array.isArray(items)) return items;
  throw new StateError('States.Runtime', 'The items of a Map must be an array.');
}

/** Items at once: what MaxConcurrency says (0 is no limit of the user's), and not more than the service's `most`. */
export function concurrencyOf({ MaxConcurrency: wanted = 0 }: MapState, most: number): number {
  return wanted === 0 ? most : Math.min(wanted, most);
}

/**
 * The input of one iteration or child: the item, or what ItemSelector makes of it.
 *
 * @throws StateError States.DataLimitExceeded when it is too large.
 */
export function selectItem(
  state: MapState,
  input: JsonValue,
  item: MapItem,
  frame: Frame,
): JsonValue {
  if (state.ItemSelector === undefined) return item.value;
  const selected = state.ItemSelector(frame.scope(input, item));
  requirePayloadLimit(frame.runtime.texts.of(selected), 'ItemSelector');
  return selected;
}

/**
 * Runs `count` pieces of work, at most `concurrency` at once, and gives their results in order. The first one
 * that fails aborts the others; once all have stopped, its error is thrown.
 *
 * @param signal aborts everything.
 */
export async function runTogether<T>(
  count: number,
  concurrency: number,
  signal: AbortSignal,
  runOne: (index: number, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => {
    controller.abort();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const results = new Array<T>(count);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count && !controller.signal.aborted) {
      const index = next;
      next += 1;
      try {
        results[index] = await runOne(index, controller.signal);
      } catch (error) {
        failures.push(error);
        controller.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  signal.removeEventListener('abort', onAbort);
  if (failures.length > 0) throw failures[0];
  signal.throwIfAborted();
  return results;
}
