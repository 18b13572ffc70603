import type {
  PolicyResource,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from '@pulumi/policy';
import * as proxies from '@pulumi/policy/proxy.js';

// Its declarations leave out what policies are not meant to use themselves.
const { unknownCheckingProxy, unknownStringValue } = proxies as unknown as {
  readonly unknownCheckingProxy: (properties: Properties) => Record<string, unknown>;
  readonly unknownStringValue: string;
};

type Properties = Readonly<Record<string, unknown>>;

/** What a preview gives for a text that only the deployment makes. */
export const NOT_KNOWN_YET = unknownStringValue;

/** A resource of a stack, as a test writes it. */
export interface StackResource {
  readonly type: string;
  readonly name: string;
  readonly props: Properties;
  /** The names of the resources that a property comes from. */
  readonly sources?: Readonly<Record<string, readonly string[]>>;
}

/** What a policy says to a resource named `it`, with its properties behind the very proxy that Pulumi puts before them. */
export function verdict(
  { validateResource }: ResourceValidationPolicy,
  type: string,
  properties: Properties,
  stack = 'prod',
): string[] {
  const messages: string[] = [];
  const args: ResourceValidationArgs = {
    ...UNUSED,
    type,
    name: 'it',
    urn: urn(stack, type, 'it'),
    props: unknownCheckingProxy(properties),
    opts: OPTIONS,
  };
  for (const validate of [validateResource ?? []].flat()) {
    void validate(args, (message) => messages.push(message));
  }
  return messages;
}

/** What a policy says to a stack: the names of the resources that it is not content with, and the messages. */
export function stackVerdict(
  { validateStack }: StackValidationPolicy,
  resources: readonly StackResource[],
): [name: string, message: string][] {
  const problems: [string, string][] = [];
  const known = new Map<string, PolicyResource>();
  for (const { type, name, props } of resources) {
    known.set(name, {
      ...UNUSED,
      type,
      name,
      urn: urn('prod', type, name),
      props: unknownCheckingProxy(props),
      opts: OPTIONS,
      dependencies: [],
      propertyDependencies: {},
    });
  }
  for (const { name, sources = {} } of resources) {
    const resource = known.get(name);
    if (resource === undefined) continue;
    for (const [property, names] of Object.entries(sources)) {
      resource.propertyDependencies[property] = names.flatMap((each) => known.get(each) ?? []);
    }
  }
  void validateStack({ ...UNUSED, resources: [...known.values()] }, (message, at) =>
    problems.push([at?.split('::').at(-1) ?? '', message]),
  );
  return problems;
}

const urn = (stack: string, type: string, name: string): string =>
  `urn:pulumi:${stack}::receipt-embeddings::${type}::${name}`;

const OPTIONS = {
  protect: false,
  ignoreChanges: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
  additionalSecretOutputs: [],
};

function unexpected(): never {
  throw new Error('no policy of this pack asks for that');
}

const UNUSED = {
  stackTags: new Map<string, string>(),
  isType: unexpected,
  asType: unexpected,
  getConfig: unexpected,
  notApplicable: unexpected,
};
