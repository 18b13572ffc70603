import type { AslState } from '../definition/definition.ts';
import { maxCauseLength, maxErrorLength } from './limits.ts';

/**
 * The failure of a state, with the error name that `Retry` and `Catch` match on and the cause as text.
 * The engine reads `name`, `message`, `isRetryable` and `isCatchable`.
 */
export class StateError extends Error {
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;

  /**
   * @param error at most 256 characters are kept, as on AWS.
   * @param cause at most 32,768 characters are kept, as on AWS.
   * @param state the state that fails: its own Retry and Catch decide what can be handled.
   */
  constructor(error: string, cause: string, state?: AslState) {
    super(cause.slice(0, maxCauseLength));
    this.name = error.slice(0, maxErrorLength);
    this.isRetryable = canBeHandled(error, state?.Retry);
    this.isCatchable = canBeHandled(error, state?.Catch);
  }

  get hasCause(): boolean {
    return this.message !== '';
  }

  /** The same failure, seen by the state around the one that failed. */
  seenBy(state: AslState): StateError {
    return new StateError(this.name, this.message, state);
  }
}

// States.ALL matches neither of these two; States.Runtime can't be handled at all. States.ALL has to stand
// alone and last, so a rule that names the error is always tried before it.
function canBeHandled(
  error: string,
  rules: readonly { readonly ErrorEquals: readonly string[] }[] = [],
): boolean {
  if (error === 'States.Runtime') return false;
  if (error !== 'States.DataLimitExceeded') return true;
  return rules.some((rule) => rule.ErrorEquals.includes(error));
}

/** `error` as a StateError: what the engine throws by itself (no rule of a Choice matched, a timeout) included. */
export function asStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  if (!(error instanceof Error)) return new StateError('States.Runtime', String(error));
  if (!error.name.startsWith('States.')) {
    return new StateError('States.Runtime', `${error.name}: ${error.message}`);
  }
  // The engine repeats the error's name as its message where AWS gives no cause or one of its own.
  if (error.name === 'States.NoChoiceMatched') {
    return new StateError(
      error.name,
      "Failed to transition out of the state. The state's input matches none of its choice rules, and it has no Default.",
    );
  }
  return new StateError(error.name, error.message === error.name ? '' : error.message);
}
