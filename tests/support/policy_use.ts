import type { RecordedCall } from 'embedded-aws/iam/iam';
import { concerns, decide, type Statement } from 'embedded-aws/iam/policy_document';
import type { Role } from 'embedded-aws/iam/roles';

/** Something that is allowed although no run makes use of it. */
export interface Exception {
  /** Names of roles. */
  readonly roles: RegExp;
  readonly actions: readonly string[];
  /** Of the resources, as the policy has them; all of them unless it is said. */
  readonly resources?: RegExp;
  readonly why: string;
}

/** What of the policies is not as it should be, each a text that says which role, action and resource. */
export interface Findings {
  /** Calls that were made and are not allowed. */
  readonly missing: readonly string[];
  /** What is allowed and is no exception, and no call needs it. */
  readonly unused: readonly string[];
  /** What an exception takes for unused, and a call needs it. */
  readonly usedExceptions: readonly string[];
  /** Actions of exceptions that nothing allows. */
  readonly idleExceptions: readonly string[];
}

/** One action on one resource, as a role's policy allows it. */
interface Part {
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  readonly statement: Statement;
}

/** Holds what roles allow against what was called under them. A call needs a part when no other part allows it. */
export function policyUse(
  roles: readonly Role[],
  calls: readonly RecordedCall[],
  exceptions: readonly Exception[],
): Findings {
  const parts = roles.flatMap(partsOf);
  const needed = new Set<Part>();
  const missing: string[] = [];
  for (const call of calls) {
    const own = parts.filter(({ role }) => role === call.role);
    if (decide(statementsOf(own), call) !== 'allowed') missing.push(describe(call));
    const allowing = own.filter(({ statement }) => concerns(statement, call));
    const [only] = allowing;
    if (only !== undefined && allowing.length === 1) needed.add(only);
  }
  const excepted = new Set(exceptions.flatMap((exception) => exceptedBy(exception, parts)));
  return {
    missing,
    unused: parts.filter((part) => !needed.has(part) && !excepted.has(part)).map(describe),
    usedExceptions: parts.filter((part) => needed.has(part) && excepted.has(part)).map(describe),
    idleExceptions: exceptions.flatMap((exception) =>
      exception.actions
        .filter((action) => exceptedBy({ ...exception, actions: [action] }, parts).length === 0)
        .map((action) => `${String(exception.roles)} ${action}`),
    ),
  };
}

/** Everything that roles allow, each one action on one resource. */
export function grantsOf(roles: readonly Role[]): readonly string[] {
  return roles.flatMap(partsOf).map(describe);
}

/** The roles without one of the grants that `grantsOf` gives. */
export function withoutGrant(roles: readonly Role[], grant: string): Role[] {
  return roles.map((role) => ({
    ...role,
    statements: statementsOf(partsOf(role).filter((part) => describe(part) !== grant)),
  }));
}

function partsOf({ name, statements }: Role): Part[] {
  return statements.flatMap((statement) =>
    statement.actions.flatMap((action) =>
      statement.resources.map((resource) => ({
        role: name,
        action: action.text,
        resource: resource.text,
        statement: { ...statement, actions: [action], resources: [resource] },
      })),
    ),
  );
}

function statementsOf(parts: readonly Part[]): Statement[] {
  return parts.map(({ statement }) => statement);
}

function exceptedBy({ roles, actions, resources }: Exception, parts: readonly Part[]): Part[] {
  return parts.filter(
    ({ role, action, resource }) =>
      roles.test(role) && actions.includes(action) && (resources?.test(resource) ?? true),
  );
}

function describe(use: Pick<Part, 'role' | 'action' | 'resource'>): string {
  return `${use.role}: ${use.action} on ${use.resource}`;
}
