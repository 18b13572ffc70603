import type { AslState } from '../definition/definition.ts';
import { maxPayloadBytes } from '../execution/limits.ts';
import { StateError } from '../execution/state_error.ts';
import type { JsonValue } from './json_value.ts';

/**
 * The JSON text of each payload, made once: the size check, the history and the descriptions all need it,
 * and one value is the output of one state and the input of the next.
 */
export class PayloadTexts {
  readonly #texts = new WeakMap<object, string>();

  of(value: JsonValue): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const text = JSON.stringify(value);
    this.#texts.set(value, text);
    return text;
  }
}

export function isWithinPayloadLimit(text: string): boolean {
  // A UTF-16 unit takes three bytes of UTF-8 at most: most payloads need no counting.
  return text.length * 3 <= maxPayloadBytes || Buffer.byteLength(text) <= maxPayloadBytes;
}

/**
 * @param subject who gave or takes the payload, as the cause names it.
 * @throws StateError States.DataLimitExceeded
 */
export function requirePayloadLimit(text: string, subject: string, state?: AslState): void {
  if (isWithinPayloadLimit(text)) return;
  throw new StateError(
    'States.DataLimitExceeded',
    `The state/task '${subject}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    state,
  );
}
