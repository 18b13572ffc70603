import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { stackName } from './names.ts';

/** IAM's conditions: operator → key → value. */
type Conditions = Readonly<Record<string, Readonly<Record<string, pulumi.Input<string>>>>>;

/** One statement: literal actions on exact resources. */
export interface PolicyStatement {
  readonly actions: readonly string[];
  readonly resources: readonly pulumi.Input<string>[];
  readonly conditions?: Conditions;
}

/** A statement of a resource's own policy, or of a role's trust, which say for whom it is. */
interface ResourceStatement {
  readonly effect: 'Allow' | 'Deny';
  /** A service, for instance `lambda.amazonaws.com`; or everybody. */
  readonly principal: { readonly service: string } | '*';
  readonly actions: readonly string[];
  /** A role's trust has none. */
  readonly resources?: readonly pulumi.Input<string>[];
  readonly conditions?: Conditions | undefined;
}

/**
 * The statements as a policy's JSON. Not by `aws.iam.getPolicyDocument`: a call of the provider for each role and bucket, whose
 * answer every stand-in of the provider would have to make again.
 */
export function policyDocument(
  statements: pulumi.Input<readonly (PolicyStatement | ResourceStatement)[]>,
): pulumi.Output<string> {
  return pulumi.output(statements).apply((list) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: list.map(({ actions, resources, ...more }) => ({
        Effect: 'effect' in more ? more.effect : 'Allow',
        ...('principal' in more ? { Principal: principalOf(more.principal) } : {}),
        Action: actions,
        Resource: resources,
        Condition: 'conditions' in more ? more.conditions : undefined,
      })),
    }),
  );
}

/** Of a resource's own policy: nobody may do this without TLS. */
export function withoutTls(
  actions: readonly string[],
  resources: readonly pulumi.Input<string>[],
): ResourceStatement {
  const conditions = { Bool: { 'aws:SecureTransport': 'false' } };
  return { effect: 'Deny', principal: '*', actions, resources, conditions };
}

function principalOf(principal: ResourceStatement['principal']): unknown {
  return principal === '*' ? principal : { Service: principal.service };
}

export interface ServiceRoleArgs {
  /** The role's name without the stack's. */
  readonly stem: string;
  /** Who may assume it, for instance `lambda.amazonaws.com`. */
  readonly service: string;
  /**
   * On what conditions it may.
   *
   * @default none
   */
  readonly trustConditions?: Conditions;
  /** Everything that it may do. */
  readonly statements: pulumi.Input<readonly PolicyStatement[]>;
}

/** A role for one service, with one inline policy. */
export class ServiceRole extends pulumi.ComponentResource {
  /** Known only once the policy is attached, so that nothing that uses the role races IAM. */
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ServiceRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:iam:ServiceRole', name, {}, opts);
    const { service, trustConditions: conditions, statements } = args;
    const roleName = stackName('role', args.stem, pulumi.getStack());
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: roleName,
        assumeRolePolicy: policyDocument([
          { effect: 'Allow', principal: { service }, actions: ['sts:AssumeRole'], conditions },
        ]),
      },
      { parent: this },
    );
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      { name: roleName, role: role.id, policy: policyDocument(statements) },
      { parent: this },
    );
    this.arn = pulumi.all([role.arn, policy.id]).apply(([arn]) => arn);
    this.registerOutputs({ arn: this.arn });
  }
}
