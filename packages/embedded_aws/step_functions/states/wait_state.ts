import { setTimeout as delay } from 'node:timers/promises';
import type { JsonValue } from '../data/json_value.ts';
import { evaluateExpression } from '../data/payload_template.ts';
import type { WaitState } from '../definition/definition.ts';
import type { Frame } from '../execution/frame.ts';
import { StateError } from '../execution/state_error.ts';

/** Node's timers take 32 bits of milliseconds; a longer wait is made of several. */
const longestDelay = 2 ** 31 - 1;

/**
 * Waits as long as the state says.
 *
 * @throws StateError States.Runtime for seconds or a timestamp that are none.
 */
export async function runWait(
  state: WaitState,
  input: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): Promise<void> {
  let left = millisecondsOf(state, input, frame);
  while (left > 0) {
    const part = Math.min(left, longestDelay);
    await delay(part, undefined, { signal });
    left -= part;
  }
}

function millisecondsOf(state: WaitState, input: JsonValue, frame: Frame): number {
  if (state.Seconds !== undefined) return state.Seconds * 1_000;
  if (state.SecondsPath !== undefined) {
    const seconds = evaluateExpression(state.SecondsPath, 'SecondsPath', frame.scope(input));
    if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 0) {
      return seconds * 1_000;
    }
    throw new StateError('States.Runtime', 'The SecondsPath must give an integer of 0 or more');
  }
  const timestamp =
    state.TimestampPath === undefined
      ? state.Timestamp
      : evaluateExpression(state.TimestampPath, 'TimestampPath', frame.scope(input));
  const until = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(until)) {
    throw new StateError('States.Runtime', 'The time to wait for must be an RFC 3339 timestamp');
  }
  return until - frame.runtime.ports.clock().getTime();
}
