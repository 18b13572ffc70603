import type { RegisteredResource } from '../deployment/pulumi_program.ts';
import { UnknownPolicyElement } from './pattern.ts';
import { parsePolicy, parseTrust, type Statement, type TrustStatement } from './policy_document.ts';

export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly trust: readonly TrustStatement[];
  readonly statements: readonly Statement[];
}

/** What a role may have beside its trust and its inline policies, and would be left out here. */
const UNKNOWN_PROPERTIES = ['inlinePolicies', 'managedPolicyArns', 'permissionsBoundary'] as const;

/**
 * The roles that the program has registered, by their ARNs.
 *
 * @throws UnknownPolicyElement for what the embedded IAM can't judge.
 */
export function rolesOf(resources: readonly RegisteredResource[]): ReadonlyMap<string, Role> {
  const policies = resources
    .filter(({ type }) => type === 'aws:iam/rolePolicy:RolePolicy')
    .map(({ state }) => state as { readonly role: string; readonly policy: string });
  const roles = resources
    .filter(({ type }) => type === 'aws:iam/role:Role')
    .map(({ state }): Role => {
      const name = state['name'] as string;
      for (const property of UNKNOWN_PROPERTIES) {
        if (state[property] === undefined) continue;
        throw new UnknownPolicyElement(
          `the role ${name} has ${property}, which the embedded IAM does not know`,
        );
      }
      return {
        name,
        arn: state['arn'] as string,
        trust: parseTrust(state['assumeRolePolicy'] as string),
        statements: policies
          .filter(({ role }) => role === name)
          .flatMap(({ policy }) => parsePolicy(policy)),
      };
    });
  return new Map(roles.map((role) => [role.arn, role]));
}
