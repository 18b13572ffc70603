import { isProperties, listOf, type Properties, UNKNOWN, type Value } from './known_values.ts';

/** A statement of an IAM policy, its lists as lists; what is not known yet is not in them. */
export interface Statement {
  readonly effect: Value;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Who it is about, in a policy of a resource: accounts, services, `*`. */
  readonly principals: readonly string[];
  readonly condition: Value;
  /** Whether it names what it is not about. */
  readonly negated: boolean;
  /** Whether all of its resources are known. */
  readonly resourcesKnown: boolean;
}

/**
 * The statements of a policy as a resource is given it: JSON, or an object. None while it is not known.
 *
 * @throws SyntaxError when it is no policy.
 */
export function statementsOf(document: Value): Statement[] {
  if (document === UNKNOWN || document === undefined) return [];
  const policy = typeof document === 'string' ? (JSON.parse(document) as Value) : document;
  if (!isProperties(policy)) throw new SyntaxError('an IAM policy is a JSON object');
  return listOf(policy['Statement']).filter(isProperties).map(statement);
}

function statement(value: Properties): Statement {
  const resources = listOf(value['Resource']);
  return {
    effect: value['Effect'],
    actions: listOf(value['Action']).filter(isText),
    resources: resources.filter(isText),
    principals: principalsOf(value['Principal']).filter(isText),
    condition: value['Condition'],
    negated: ['NotAction', 'NotResource', 'NotPrincipal'].some((name) => name in value),
    resourcesKnown: !resources.includes(UNKNOWN),
  };
}

/** `"*"`, or `{"Service": "…"}` and the like. */
function principalsOf(value: Value): readonly Value[] {
  return isProperties(value) ? Object.values(value).flatMap(listOf) : listOf(value);
}

const isText = (value: Value): value is string => typeof value === 'string';
