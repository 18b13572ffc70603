import type { JsonValue } from '../data/json_value.ts';
import { evaluateExpression, fillTemplate } from '../data/payload_template.ts';
import { requirePayloadLimit } from '../data/payload_text.ts';
import type { MapState } from '../definition/definition.ts';
import type { Frame, MapItem } from '../execution/frame.ts';
import { StateError } from '../execution/state_error.ts';

/**
 * The items of a Map without ItemReader: what ItemsPath points to, or the input.
 *
 * @throws StateError States.Runtime when that is no array.
 */
export function inputItems(state: MapState, input: JsonValue, frame: Frame): JsonValue[] {
  const items =
    state.ItemsPath === undefined
      ? input
      : evaluateExpression(state.ItemsPath, 'ItemsPath', frame.scope(input));
  if (Array.isArray(items)) return items;
  throw new StateError(
    'States.Runtime',
    `Reference path '${state.ItemsPath ?? '$'}' must point to array.`,
  );
}

/** @returns MaxConcurrency; 0 is no limit of the user's. */
export function concurrencyOf(state: MapState, input: JsonValue, frame: Frame): number {
  return (
    numberOf(state.MaxConcurrency, state.MaxConcurrencyPath, 'MaxConcurrencyPath', input, frame) ??
    0
  );
}

/**
 * A setting that is a number or the path of one.
 *
 * @throws StateError States.Runtime when the path gives no number of 0 or more.
 */
export function numberOf(
  value: number | undefined,
  path: string | undefined,
  field: string,
  input: JsonValue,
  frame: Frame,
): number | undefined {
  if (path === undefined) return value;
  const found = evaluateExpression(path, field, frame.scope(input));
  if (typeof found === 'number' && found >= 0) return found;
  throw new StateError('States.Runtime', `The field '${field}' must give a number of 0 or more`);
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
  const selected = fillTemplate(state.ItemSelector, frame.scope(input, item));
  requirePayloadLimit(frame.runtime.texts.of(selected), 'ItemSelector', state);
  return selected;
}
