/**
 * Whose fault a vendor's refusal is. Only an `input`'s own makes a line or word FAILED; for `account` (money, rights, pace) and
 * `ours` (a setting, a bug) nothing is FAILED, for `vendor` it is tried again. `unknown`: no table says, so nobody is blamed at once.
 */
export type Fault = 'input' | 'account' | 'ours' | 'vendor' | 'unknown';

/** What is known of a vendor's answer beside the message. */
export interface VendorErrorOptions {
  readonly fault?: Fault;
  /** The vendor's own name for what went wrong, if it is one that we know. */
  readonly vendor_code?: string;
  /** The request was too large: its halves may succeed. */
  readonly split?: true;
}

/** What the layer's errors have in common: a message of our own words. */
export abstract class LayerError extends Error {
  declare readonly fault?: Fault;
  declare readonly vendor_code?: string;
  declare readonly split?: true;

  constructor(message: string, { fault, vendor_code, split }: VendorErrorOptions = {}) {
    super(message);
    if (fault !== undefined) this.fault = fault;
    if (vendor_code !== undefined) this.vendor_code = vendor_code;
    if (split !== undefined) this.split = split;
  }
}

/** Names of errors of JavaScript itself: they quote nothing. */
const BUILT_IN_NAMES = new Set([
  'Error',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
]);

/** A stack's line that says where in our bundles, or in our sources, something was thrown. */
const FRAME = /^ {4}at [^\n]*?([\w-]{1,60}\.m?[jt]s:\d{1,7}:\d{1,7})\)?$/m;

/**
 * What may leave a function for an error: one of the layer's as it is, anything else in our own words, because a foreign
 * message may quote a key or a text (`Headers.append` quotes the header that it refuses).
 *
 * @example
 * ```ts
 * ownError(new TypeError('Headers.append: "Bearer sk-…" is an invalid header value.'));
 * // TypeError: an unexpected TypeError in the function, at openai.mjs:12:345
 * ```
 */
export function ownError(error: unknown): Error {
  if (error instanceof LayerError) {
    // Only one that was set by hand: none is made with a cause.
    delete (error as { cause?: unknown }).cause;
    return error;
  }
  const thrown = error instanceof Error ? error : undefined;
  const name = thrown !== undefined && BUILT_IN_NAMES.has(thrown.name) ? thrown.name : 'Error';
  const place = FRAME.exec(thrown?.stack ?? '')?.[1];
  const where = place === undefined ? '' : `, at ${place}`;
  return Object.assign(new Error(`an unexpected ${name} in the function${where}`), { name });
}
