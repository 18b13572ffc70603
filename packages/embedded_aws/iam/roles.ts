import type { RegisteredResource } from '../deployment/pulumi_program.ts';
import {
  mayAssume,
  parsePolicy,
  parseTrust,
  type Statement,
  type TrustStatement,
  UnknownPolicyElement,
} from './policy_document.ts';

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

/** A resource that works under a role, which its service assumes. */
export interface RoleUse {
  /** `aws:lambda/function:Function my-function` */
  readonly resource: string;
  readonly service: string;
  readonly roleArn: string;
}

interface ServiceKnowledge {
  readonly service: string;
  readonly roleOf: (state: Readonly<Record<string, unknown>>) => unknown;
  /** Whether the service says for which account it assumes the role. */
  readonly saysAccount: boolean;
  /** What AWS says where the service may not assume the role. */
  readonly refusal: string;
}

const SERVICES: Readonly<Record<string, ServiceKnowledge>> = {
  'aws:lambda/function:Function': {
    service: 'lambda.amazonaws.com',
    roleOf: ({ role }) => role,
    saysAccount: false,
    refusal: 'The role defined for the function cannot be assumed by Lambda.',
  },
  'aws:sfn/stateMachine:StateMachine': {
    service: 'states.amazonaws.com',
    roleOf: ({ roleArn }) => roleArn,
    saysAccount: true,
    refusal:
      'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.',
  },
  'aws:scheduler/schedule:Schedule': {
    service: 'scheduler.amazonaws.com',
    roleOf: ({ target }) => (target as { readonly roleArn?: string } | undefined)?.roleArn,
    saysAccount: true,
    refusal:
      'The execution role you provide must allow AWS EventBridge Scheduler to assume the role.',
  },
};

/** What of the program's resources works under which role. */
export function roleUses(resources: readonly RegisteredResource[]): RoleUse[] {
  return resources.flatMap(({ type, name, state }) => {
    const known = SERVICES[type];
    return known === undefined
      ? []
      : [
          {
            resource: `${type} ${name}`,
            service: known.service,
            roleArn: String(known.roleOf(state)),
          },
        ];
  });
}

/**
 * Checks that each service may assume the role that it is to work under.
 *
 * @throws Error with what AWS says where one may not.
 */
export function checkRoleUses(
  resources: readonly RegisteredResource[],
  roles: ReadonlyMap<string, Role>,
  accountId: string,
): void {
  for (const { resource, service, roleArn } of roleUses(resources)) {
    const [type = ''] = resource.split(' ');
    const { saysAccount = false, refusal = '' } = SERVICES[type] ?? {};
    const context = saysAccount ? { 'aws:SourceAccount': accountId } : {};
    const trust = roles.get(roleArn)?.trust ?? [];
    if (!mayAssume(trust, service, context)) {
      throw new Error(`${resource} can't have the role ${roleArn}: ${refusal}`);
    }
  }
}
