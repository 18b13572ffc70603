import type { Call, RequestContext } from './call.ts';
import type { Condition, Statement, TrustStatement } from './policy_document.ts';

/** `not allowed`: no statement allows it. `denied`: a statement forbids it, whatever others allow. */
export type Decision = 'allowed' | 'not allowed' | 'denied';

/** What a role's statements say to a call. */
export function decide(statements: readonly Statement[], call: Call): Decision {
  return decisionOf(statements.filter((statement) => concerns(statement, call)));
}

/** Whether a service may assume a role. */
export function mayAssume(
  trust: readonly TrustStatement[],
  service: string,
  context: RequestContext,
): boolean {
  const matching = trust.filter(
    ({ services, actions, conditions }) =>
      services.some((name) => name === '*' || name === service) &&
      actions.some((action) => action.matches('sts:AssumeRole')) &&
      hold(conditions, context),
  );
  return decisionOf(matching) === 'allowed';
}

/** Whether a statement says anything to a call. */
export function concerns({ actions, resources, conditions }: Statement, call: Call): boolean {
  return (
    actions.some((action) => action.matches(call.action)) &&
    resources.some((resource) => resource.matches(call.resource)) &&
    hold(conditions, call.context ?? {})
  );
}

function hold(conditions: readonly Condition[], context: RequestContext): boolean {
  return conditions.every(({ key, values }) => {
    const given = context[key];
    return given !== undefined && values.some((value) => value.matches(given));
  });
}

function decisionOf(matching: readonly { readonly effect: 'Allow' | 'Deny' }[]): Decision {
  if (matching.some(({ effect }) => effect === 'Deny')) return 'denied';
  return matching.length > 0 ? 'allowed' : 'not allowed';
}
