import * as pulumi from '@pulumi/pulumi';
import type { DeclaredFunction } from './state_machines/shared_states.ts';
import { functionsOf } from './state_machines/workflows.ts';

/** AWS's limits for the names that this program gives. */
export const NAME_LIMITS = {
  alarm: 255,
  dashboard: 255,
  function: 64,
  role: 64,
  schedule: 64,
  stateMachine: 80,
  topic: 256,
} as const;

/** What a function does, in kebab case: the middle of its name. */
export const functionPurpose = ({ name }: Pick<DeclaredFunction, 'name'>): string =>
  name.replaceAll('_', '-');

export const functionStem = (declaration: Pick<DeclaredFunction, 'name'>): string =>
  `embedding-${functionPurpose(declaration)}-lambda`;

/** The longest name of a stack that all names have room for; the functions' are the tightest. */
export const LONGEST_STACK_NAME = Math.min(
  ...functionsOf().map(
    (declaration) => NAME_LIMITS.function - functionStem(declaration).length - 1,
  ),
);

/** Thrown when a stack's name makes a resource's name longer than AWS allows; Pulumi shows it without its stack trace. */
export class NameTooLong extends pulumi.RunError {
  override readonly name = 'NameTooLong';
}

/**
 * Checks a stack's name before anything is named after it.
 *
 * @throws NameTooLong
 */
export function checkStackName(stack: string): void {
  if (stack.length > LONGEST_STACK_NAME) {
    throw new NameTooLong(
      `the stack's name "${stack}" is too long: it may have ${LONGEST_STACK_NAME} characters, ` +
        `since AWS allows ${NAME_LIMITS.function} for the name of a function; choose a shorter one`,
    );
  }
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
