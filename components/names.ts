/** AWS's limits for the names that this program gives. */
export const NAME_LIMITS = { function: 64, role: 64, stateMachine: 80 } as const;

/** Thrown when a stack's name makes a resource's name longer than AWS allows. */
export class NameTooLong extends Error {
  override readonly name = 'NameTooLong';
}

/**
 * `{stem}-{stack}`.
 *
 * @throws NameTooLong, with the longest stack name that fits.
 */
export function stackName(kind: keyof typeof NAME_LIMITS, stem: string, stack: string): string {
  const name = `${stem}-${stack}`;
  const limit = NAME_LIMITS[kind];
  if (name.length > limit) {
    throw new NameTooLong(
      `the stack's name "${stack}" is too long: the name of the ${kind} ${stem} has room for ` +
        `${limit - stem.length - 1} characters of it (AWS allows ${limit}); choose a shorter one`,
    );
  }
  return name;
}
