import type {
  EnforcementLevel,
  PolicyResource,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from '@pulumi/policy';

/** A resource as a policy judges it. */
export interface Judged {
  /** `aws:s3/bucket:Bucket` */
  readonly type: string;
  readonly name: string;
  readonly project: string;
  readonly stack: string;
  readonly properties: Properties;
}

/** A resource beside all others of its stack. */
export interface JudgedInStack extends Judged {
  readonly urn: string;
  /** The URNs of the resources that a property comes from, by the property's name. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
}

interface Rule {
  /** In kebab case; it names the policy in `PulumiPolicy` configurations. */
  readonly name: string;
  readonly description: string;
  /** @default the pack's: mandatory */
  readonly enforcementLevel?: EnforcementLevel;
}

/** A policy on each resource of these types by itself; `check` gives what is wrong with one, and what to do. */
export function resourcePolicy(
  rule: Rule,
  types: readonly string[] | ((type: string) => boolean),
  check: (resource: Judged) => readonly string[],
): ResourceValidationPolicy {
  const concerns =
    typeof types === 'function' ? types : (type: string): boolean => types.includes(type);
  return {
    ...rule,
    validateResource: ({ type, name, urn, props }, report) => {
      if (!concerns(type)) return;
      check({ type, name, ...placeOf(urn), properties: knownProperties(props) }).forEach(
        (problem) => {
          report(problem, urn);
        },
      );
    },
  };
}

/** What is wrong with a resource of a stack. */
export interface Problem {
  readonly urn: string;
  readonly message: string;
}

/** A policy on what resources are to each other. */
export function stackPolicy(
  rule: Rule,
  check: (resources: readonly JudgedInStack[]) => readonly Problem[],
): StackValidationPolicy {
  return {
    ...rule,
    validateStack: ({ resources }, report) => {
      check(resources.map(judgedInStack)).forEach(({ urn, message }) => {
        report(message, urn);
      });
    },
  };
}

function judgedInStack({
  type,
  name,
  urn,
  props,
  propertyDependencies,
}: PolicyResource): JudgedInStack {
  return {
    type,
    name,
    urn,
    ...placeOf(urn),
    properties: knownProperties(props),
    sources: Object.fromEntries(
      Object.entries(propertyDependencies).map(([property, from]) => [
        property,
        from.map((source) => source.urn),
      ]),
    ),
  };
}

/** `urn:pulumi:{stack}::{project}::…` */
function placeOf(urn: string): { readonly stack: string; readonly project: string } {
  const [start = '', project = ''] = urn.split('::');
  return { stack: start.replace('urn:pulumi:', ''), project };
}

/** Stands for a value that only the deployment makes: during a preview it may be anything. */
export const UNKNOWN = Symbol('known after the deployment');

export type Value =
  string | number | boolean | null | undefined | typeof UNKNOWN | readonly Value[] | Properties;

/** What a resource is given, or has. */
export interface Properties {
  readonly [name: string]: Value;
}

/** A copy with UNKNOWN in place of each value whose reading Pulumi refuses during a preview. */
function knownProperties(properties: Readonly<Record<string, unknown>>): Properties {
  return Object.fromEntries(
    Object.keys(properties).map((name) => [name, read(() => properties[name])]),
  );
}

function read(get: () => unknown): Value {
  let value: unknown;
  try {
    value = get();
  } catch (error) {
    if (isRefusal(error)) return UNKNOWN;
    throw error;
  }
  if (Array.isArray(value)) {
    return Array.from({ length: value.length }, (_, index) => read(() => value[index] as unknown));
  }
  if (typeof value === 'object' && value !== null) {
    return knownProperties(value as Readonly<Record<string, unknown>>);
  }
  return value as Value;
}

/** `@pulumi/policy` does not export the class of this error. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'UnknownValueError';
}

/** What lies at a path of names; UNKNOWN when something on the way is, undefined when there is nothing. */
export function at(value: Value, ...path: readonly string[]): Value {
  const [name, ...rest] = path;
  if (name === undefined || value === UNKNOWN) return value;
  return isProperties(value) ? at(value[name], ...rest) : undefined;
}

/** Whether a value is this one, or may turn out to be. */
export function mayBe(value: Value, expected: string | number | boolean): boolean {
  return value === UNKNOWN || value === expected;
}

export function isProperties(value: Value): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of values; one value that is no list counts as a list of it, as in the JSON of IAM. */
export function listOf(value: Value): readonly Value[] {
  if (value === undefined || value === null) return [];
  return isList(value) ? value : [value];
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/**
 * Whether a property of one resource names another: it is one of the names that the other goes by, or it comes from it.
 * Where neither can be told during a preview, it may.
 *
 * @param names of `to`, as far as they are known.
 */
export function mayName(
  from: JudgedInStack,
  property: string,
  value: Value,
  to: JudgedInStack,
  names: readonly Value[],
): boolean {
  if (value !== UNKNOWN && value !== undefined && names.includes(value)) return true;
  const sources = from.sources[property] ?? [];
  if (sources.length > 0) return sources.includes(to.urn);
  return value === UNKNOWN || names.includes(UNKNOWN);
}
