import { StateError } from '../state_error.ts';

/** A JSON document. Values are never changed in place: every step builds a new one and shares the rest. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Bytes of UTF-8 JSON: each input, output and task payload.
 * Source: AWS Step Functions Developer Guide, "Service quotas".
 */
export const MAX_PAYLOAD_BYTES = 262_144;

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
  return text.length * 3 <= MAX_PAYLOAD_BYTES || Buffer.byteLength(text) <= MAX_PAYLOAD_BYTES;
}

/**
 * @param subject what made the payload, as the cause names it.
 * @throws StateError States.DataLimitExceeded
 */
export function requirePayloadLimit(text: string, subject: string): void {
  if (isWithinPayloadLimit(text)) return;
  throw new StateError(
    'States.DataLimitExceeded',
    `The state/task '${subject}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}
