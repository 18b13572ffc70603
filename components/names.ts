import { randomBytes } from 'node:crypto';
import * as pulumi from '@pulumi/pulumi';
import type { DeclaredFunction } from '../simple_lambdas/runtime/declaration.ts';
import { STACK_FUNCTIONS } from './stack_functions.ts';

/** AWS's rules for the names that this program gives: how long one may be, and of which characters (its API references). */
export const NAME_RULES = {
  alarm: { limit: 255, allowed: /^[\x20-\x7e]+$/ },
  dashboard: { limit: 255, allowed: /^[\w-]+$/ },
  function: { limit: 64, allowed: /^[\w-]+$/ },
  layer: { limit: 64, allowed: /^[\w-]+$/ },
  /** A `/` makes folders of them; `:` and `*` are refused. */
  logQuery: { limit: 255, allowed: /^[\w./-]+$/ },
  queue: { limit: 80, allowed: /^[\w-]+$/ },
  role: { limit: 64, allowed: /^[\w+=,.@-]+$/ },
  schedule: { limit: 64, allowed: /^[\w.-]+$/ },
  secret: { limit: 512, allowed: /^[\w/+=.@-]+$/ },
  /** It takes more, but CloudWatch gets no log of a state machine whose name has it. */
  stateMachine: { limit: 80, allowed: /^[\w-]+$/ },
  topic: { limit: 256, allowed: /^[\w-]+$/ },
  /** Of its 63 characters, nine are for a suffix. */
  vectorBucket: { limit: 54, allowed: /^[\w-]+$/ },
} as const satisfies Readonly<Record<string, { readonly limit: number; readonly allowed: RegExp }>>;

export type NameKind = keyof typeof NAME_RULES;

/** What a function does, in kebab case: the middle of its name. */
export const functionPurpose = ({ name }: Pick<DeclaredFunction, 'name'>): string =>
  name.replaceAll('_', '-');

export const functionStem = (declaration: Pick<DeclaredFunction, 'name'>): string =>
  `embedding-${functionPurpose(declaration)}-lambda`;

/** The longest name of a stack that all names have room for; the functions' are the tightest. */
export const LONGEST_STACK_NAME = Math.min(
  ...STACK_FUNCTIONS.map(
    (declaration) => NAME_RULES.function.limit - functionStem(declaration).length - 1,
  ),
);

/** What every kind of name takes; Pulumi itself also lets a stack's name have dots. */
const STACK_NAME = /^[\w-]+$/;

/**
 * What is wrong with a stack's name, which most names of its resources end with, and a name that would do; undefined when all
 * of AWS's services take it.
 */
export function stackNameProblem(
  stack: string,
): { readonly problem: string; readonly better: string } | undefined {
  const better = stack.replaceAll(/[^\w-]+/g, '-').slice(0, LONGEST_STACK_NAME);
  if (!STACK_NAME.test(stack)) {
    return {
      problem:
        `the stack's name "${stack}" has characters that AWS refuses in the names of functions, topics and dashboards ` +
        '(allowed are letters, digits, `-` and `_`)',
      better,
    };
  }
  return stack.length > LONGEST_STACK_NAME
    ? {
        problem:
          `the stack's name "${stack}" is too long: it may have ${LONGEST_STACK_NAME} characters, ` +
          `since AWS allows ${NAME_RULES.function.limit} for the name of a function`,
        better,
      }
    : undefined;
}

/** Thrown when a stack's name makes a name that AWS refuses; Pulumi shows it without its stack trace. */
export class NameRefused extends pulumi.RunError {
  override readonly name = 'NameRefused';
}

/**
 * `{stem}-{stack}`.
 *
 * @throws NameRefused, when AWS would refuse it. The program has checked its stack's name before (`readSettings`).
 */
export function stackName(kind: NameKind, stem: string, stack: string): string {
  return allowedName(kind, `${stem}-${stack}`);
}

/** Eight characters that no other name of the account has. */
export function randomSuffix(): string {
  return randomBytes(4).toString('hex');
}

/** @throws NameRefused */
export function allowedName(kind: NameKind, name: string): string {
  const { limit, allowed } = NAME_RULES[kind];
  if (name.length > limit) {
    throw new NameRefused(
      `the name ${name} of a ${kind} has ${name.length} characters, and AWS allows ${limit}: choose a shorter name for the stack`,
    );
  }
  if (!allowed.test(name)) {
    throw new NameRefused(
      `the name ${name} of a ${kind} has characters that AWS refuses: choose a name for the stack of letters, digits, "-" and "_"`,
    );
  }
  return name;
}
