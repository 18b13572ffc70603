/** Stands for a value that only the deployment makes: during a preview it may be anything. */
export const UNKNOWN = Symbol('known after the deployment');

export type Value =
  string | number | boolean | null | undefined | typeof UNKNOWN | readonly Value[] | Properties;

/** What a resource is given, or has. */
export interface Properties {
  readonly [name: string]: Value;
}

/** A copy with UNKNOWN in place of each value whose reading Pulumi refuses during a preview. */
export function knownProperties(properties: Readonly<Record<string, unknown>>): Properties {
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
