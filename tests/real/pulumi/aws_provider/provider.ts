import { type Account, ARNS } from './account.ts';
import {
  changedProperties,
  isUnknown,
  type Properties,
  UNKNOWN,
  withoutMarks,
} from './properties.ts';
import { resourceType } from './resource_types.ts';

/** A problem with one property, found before anything is done. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface Difference {
  readonly changed: readonly string[];
  /** Those of them that only a new resource can have. */
  readonly replacing: readonly string[];
  /** Whether the old one must go first, since both would have one name. */
  readonly deleteBeforeReplace: boolean;
}

interface Outcome {
  readonly id: string;
  /** With the marks of the inputs. */
  readonly state: Properties;
}

/** Gives a name where the program gave none, keeping the one that the resource has. */
export function checked(
  type: string,
  name: string,
  before: Properties,
  inputs: Properties,
  seed: Uint8Array,
): { readonly inputs: Properties; readonly failures: readonly CheckFailure[] } {
  const { nameProperty } = resourceType(type);
  if (nameProperty === undefined) return { inputs, failures: [] };
  const madeUp = `${name}-${Buffer.from(seed).toString('hex').slice(0, 7)}`;
  const complete =
    inputs[nameProperty] === undefined
      ? { ...inputs, [nameProperty]: before[nameProperty] ?? madeUp, __named: true }
      : inputs;
  const reason = wrongName(type, withoutMarks(complete)[nameProperty]);
  return {
    inputs: complete,
    failures: reason === undefined ? [] : [{ property: nameProperty, reason }],
  };
}

function wrongName(type: string, name: unknown): string | undefined {
  if (typeof name !== 'string' || isUnknown(name)) return undefined;
  const { longestName = Infinity, namePattern = /^/ } = resourceType(type);
  if (name.length > longestName) {
    return `"${name}" has ${name.length} characters, at most ${longestName} are allowed`;
  }
  return namePattern.test(name) ? undefined : `"${name}" is not like ${String(namePattern)}`;
}

export function difference(type: string, before: Properties, after: Properties): Difference {
  const { nameProperty, replacedBy } = resourceType(type);
  const changed = changedProperties(withoutMarks(before), withoutMarks(after));
  const replacing = changed.filter((name) => replacedBy.includes(name));
  return {
    changed,
    replacing,
    // As the real provider does it: a name that Pulumi made up is made up anew, and so is no obstacle.
    deleteBeforeReplace:
      nameProperty !== undefined &&
      after['__named'] !== true &&
      resourceType(type).uniqueBy === undefined &&
      !changed.includes(nameProperty),
  };
}

/** @throws Refused */
export async function created(
  account: Account,
  type: string,
  name: string,
  inputs: Properties,
): Promise<Outcome> {
  const { id, state } = await account.create(type, name, withoutMarks(inputs));
  return { id, state: { ...state, ...inputs } };
}

/** What is known of a resource before it is created: what AWS adds is not. */
export function planned(inputs: Properties): Properties {
  return { ...inputs, ...Object.fromEntries(ARNS.map((name) => [name, UNKNOWN])) };
}

/** @throws Refused */
export async function updated(
  account: Account,
  type: string,
  id: string,
  inputs: Properties,
): Promise<Properties> {
  const { state } = await account.update(type, id, withoutMarks(inputs));
  return { ...state, ...inputs };
}
