import type * as pulumi from '@pulumi/pulumi';

/** Another value for a property; or for each of its own; or several other values. */
type Other<Value> = Value | FieldByField | Several<Value>;

/** Another value for every property of some arguments, optional ones too: one that is forgotten does not compile. */
export type Others<Args> = { readonly [Name in keyof Required<Args>]: Other<Required<Args>[Name]> };

/** For a property that is an object: each of its fields is changed alone. */
export class FieldByField {
  readonly others: Readonly<Record<string, unknown>>;
  constructor(others: Readonly<Record<string, unknown>>) {
    this.others = others;
  }
}

/** For a property that is a list or a function: each of these is tried alone. */
export class Several<Value> {
  readonly values: readonly Value[];
  constructor(values: readonly Value[]) {
    this.values = values;
  }
}

export const fieldByField = <Fields extends object>(others: Others<Fields>): FieldByField =>
  new FieldByField(others);

export const several = <Value>(...values: readonly Value[]): Several<Value> => new Several(values);

/** Something that makes resources, with arguments to begin with, and what each of them may be instead. */
export interface ComponentCase {
  readonly name: string;
  /** With the arguments to begin with. */
  readonly create: (options: pulumi.ComponentResourceOptions) => void;
  readonly variations: readonly Variation[];
}

export interface Variation {
  /** `openai.baseUrl` */
  readonly path: string;
  readonly create: (options: pulumi.ComponentResourceOptions) => void;
}

export function componentCase<Args extends object>(
  name: string,
  create: (args: Args, options: pulumi.ComponentResourceOptions) => unknown,
  args: Args,
  others: Others<Args>,
): ComponentCase {
  return {
    name,
    create: (options) => void create(args, options),
    variations: variationsOf(args, others).map(({ path, changed }) => ({
      path,
      create: (options) => void create(changed as Args, options),
    })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** The arguments with one property changed, for each property. */
function variationsOf(args: object, others: object): { readonly path: string; changed: object }[] {
  return Object.entries(others).flatMap(([name, other]: [string, unknown]) => {
    if (other instanceof FieldByField) {
      const inner = (args as Fields)[name] ?? {};
      return variationsOf(inner, other.others).map(({ path, changed }) => ({
        path: `${name}.${path}`,
        changed: { ...args, [name]: changed },
      }));
    }
    if (other instanceof Several) {
      return (other.values as readonly unknown[]).map((value, at) => ({
        path: `${name} (${at + 1})`,
        changed: { ...args, [name]: value },
      }));
    }
    return [{ path: name, changed: { ...args, [name]: other } }];
  });
}
