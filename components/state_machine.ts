import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { type PolicyStatement, ServiceRole } from './iam.ts';
import { stackName } from './names.ts';
import type { StateMachineDefinition } from './state_machines/asl.ts';
import { permissionsOf } from './state_machines/permissions.ts';
import type { Tags } from './tags.ts';

export interface EmbeddingStateMachineArgs {
  /** The state machine's name without the stack's. */
  readonly stem: string;
  /** The name of its role without the stack's. */
  readonly roleStem: string;
  readonly definition: pulumi.Input<StateMachineDefinition>;
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** Delivering a state machine's log knows no resources (AWS's guide to logging in CloudWatch). */
const LOG_DELIVERY: PolicyStatement = {
  actions: [
    'logs:CreateLogDelivery',
    'logs:GetLogDelivery',
    'logs:UpdateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:DescribeResourcePolicies',
    'logs:DescribeLogGroups',
  ],
  resources: ['*'],
};

const TRACING: PolicyStatement = {
  actions: [
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'xray:GetSamplingRules',
    'xray:GetSamplingTargets',
  ],
  resources: ['*'],
};

/**
 * A state machine with its log, and with a role that derives from its definition. What the workflows are made
 * of: each is one, under its own type, so that its resources hang right under it.
 */
export abstract class EmbeddingStateMachine extends pulumi.ComponentResource {
  /** Known once the state machine is there. */
  public readonly arn: pulumi.Output<string>;
  private readonly machineName: string;

  /** @param type the workflow's type token. */
  protected constructor(
    type: string,
    name: string,
    args: EmbeddingStateMachineArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(type, name, {}, opts);
    this.machineName = stackName('stateMachine', args.stem, pulumi.getStack());
    const role = this.createRole(name, args);
    const logGroup = this.createLogGroup(name, args);
    this.arn = this.createStateMachine(name, args, role, logGroup).arn;
    this.registerOutputs({ arn: this.arn });
  }

  private createRole(name: string, args: EmbeddingStateMachineArgs): ServiceRole {
    const parent = { parent: this };
    const permissions = pulumi
      .all([
        args.definition,
        aws.getPartitionOutput({}, parent).partition,
        aws.getRegionOutput({}, parent).region,
        aws.getCallerIdentityOutput({}, parent).accountId,
      ])
      .apply(([definition, partition, region, accountId]) =>
        permissionsOf(definition, { name: this.machineName, partition, region, accountId }),
      );
    return new ServiceRole(
      name,
      {
        stem: args.roleStem,
        service: 'states.amazonaws.com',
        statements: permissions.apply((derived): PolicyStatement[] => [
          ...derived,
          LOG_DELIVERY,
          TRACING,
        ]),
        tags: args.tags,
      },
      parent,
    );
  }

  private createLogGroup(name: string, args: EmbeddingStateMachineArgs): aws.cloudwatch.LogGroup {
    return new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        // Under this prefix log delivery needs no resource policy that grows with each state machine.
        name: `/aws/vendedlogs/states/${this.machineName}`,
        retentionInDays: args.logRetentionDays,
        tags: args.tags,
      },
      { parent: this },
    );
  }

  private createStateMachine(
    name: string,
    args: EmbeddingStateMachineArgs,
    role: ServiceRole,
    logGroup: aws.cloudwatch.LogGroup,
  ): aws.sfn.StateMachine {
    return new aws.sfn.StateMachine(
      `${name}-state-machine`,
      {
        name: this.machineName,
        type: 'STANDARD',
        roleArn: role.arn,
        definition: pulumi.jsonStringify(args.definition),
        // Errors alone, without their data: payloads name receipts, and the history has them anyway.
        loggingConfiguration: {
          level: 'ERROR',
          includeExecutionData: false,
          logDestination: pulumi.interpolate`${logGroup.arn}:*`,
        },
        tracingConfiguration: { enabled: true },
        tags: args.tags,
      },
      { parent: this },
    );
  }
}
