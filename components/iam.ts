import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { stackName } from './names.ts';

/** IAM's conditions: operator → key → value. */
type Conditions = Readonly<Record<string, Readonly<Record<string, pulumi.Input<string>>>>>;

/** One permission: literal actions on exact resources. */
export interface PolicyStatement {
  readonly actions: readonly string[];
  readonly resources: readonly pulumi.Input<string>[];
  readonly conditions?: Conditions;
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
  readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A role for one service, with one inline policy. */
export class ServiceRole extends pulumi.ComponentResource {
  /** Known only once the policy is attached, so that nothing that uses the role races IAM. */
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ServiceRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:iam:ServiceRole', name, {}, opts);
    const roleName = stackName('role', args.stem, pulumi.getStack());
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: roleName,
        assumeRolePolicy: trustDocument(args),
        tags: args.tags,
      },
      { parent: this },
    );
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        name: roleName,
        role: role.id,
        policy: policyDocument(args.statements),
      },
      { parent: this },
    );
    this.arn = pulumi.all([role.arn, policy.id]).apply(([arn]) => arn);
    this.registerOutputs({ arn: this.arn });
  }
}

function trustDocument({ service, trustConditions }: ServiceRoleArgs): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: service },
        Action: 'sts:AssumeRole',
        ...(trustConditions === undefined ? {} : { Condition: trustConditions }),
      },
    ],
  });
}

/** The statements as a policy's JSON. */
export function policyDocument(
  statements: pulumi.Input<readonly PolicyStatement[]>,
): pulumi.Output<string> {
  return pulumi.output(statements).apply((list) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: list.map(({ actions, resources, conditions }) => ({
        Effect: 'Allow',
        Action: actions,
        Resource: resources,
        ...(conditions === undefined ? {} : { Condition: conditions }),
      })),
    }),
  );
}
