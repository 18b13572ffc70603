/** Characters that AWS keeps of an error's name and of its cause. */
export const MAX_ERROR_LENGTH = 256;
export const MAX_CAUSE_LENGTH = 32_768;

/** The failure of a state: the error name that `Retry` and `Catch` match on, and the cause as text, "" for none. */
export class StateError extends Error {
  /** Both are cut at AWS's limits. */
  constructor(error: string, cause: string) {
    super(cause.slice(0, MAX_CAUSE_LENGTH));
    this.name = error.slice(0, MAX_ERROR_LENGTH);
  }
}

/** `error` as a StateError; what no state threw is States.Runtime. */
export function asStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  return new StateError(
    'States.Runtime',
    error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  );
}

/**
 * Whether a rule of `Retry` or `Catch` handles an error. Nothing handles States.Runtime, and States.ALL does not
 * include States.DataLimitExceeded (Step Functions Developer Guide, "Handling errors").
 */
export function handles(
  rule: { readonly ErrorEquals: readonly string[] },
  { name: error }: StateError,
): boolean {
  if (error === 'States.Runtime') return false;
  const byAll = rule.ErrorEquals.includes('States.ALL') && error !== 'States.DataLimitExceeded';
  return byAll || rule.ErrorEquals.includes(error);
}
