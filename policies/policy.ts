import type {
  EnforcementLevel,
  PolicyResource,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from '@pulumi/policy';
import { knownProperties, type Properties } from './known_values.ts';

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
