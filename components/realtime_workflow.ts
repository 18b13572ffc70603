import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { ServiceRole, type PolicyStatement } from './iam.ts';
import { stackName } from './names.ts';
import { permissionsOf } from './state_machines/permissions.ts';
import {
  realtimeStateMachine,
  type RealtimeStateMachineSettings,
} from './state_machines/realtime.ts';
import type { Tags } from './tags.ts';

export interface RealtimeEmbeddingWorkflowArgs {
  /** ARNs of the functions. */
  readonly functions: Readonly<
    Record<keyof RealtimeStateMachineSettings['functions'], pulumi.Input<string>>
  >;
  /** The bucket of the runs' files. */
  readonly bucket: pulumi.Input<string>;
  readonly maxConcurrency: number;
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
  readonly toleratedFailurePercentage: number;
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

/** The realtime state machine with its role and its log. */
export class RealtimeEmbeddingWorkflow extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;
  private readonly machineName: string;

  constructor(
    name: string,
    args: RealtimeEmbeddingWorkflowArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('receipts:workflow:RealtimeEmbeddingWorkflow', name, {}, opts);
    this.machineName = stackName('stateMachine', 'realtime-embedding-sf', pulumi.getStack());
    const definition = pulumi
      .all([pulumi.output(args.functions), args.bucket])
      .apply(([functions, bucket]) =>
        realtimeStateMachine({
          functions,
          bucket,
          maxConcurrency: args.maxConcurrency,
          childExecutionType: args.childExecutionType,
          toleratedFailurePercentage: args.toleratedFailurePercentage,
        }),
      );
    const role = this.createRole(name, definition, args);
    const logGroup = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        // Under this prefix log delivery needs no resource policy that grows with each state machine.
        name: `/aws/vendedlogs/states/${this.machineName}`,
        retentionInDays: args.logRetentionDays,
        tags: args.tags,
      },
      { parent: this },
    );
    const machine = new aws.sfn.StateMachine(
      `${name}-state-machine`,
      {
        name: this.machineName,
        type: 'STANDARD',
        roleArn: role.arn,
        definition: pulumi.jsonStringify(definition),
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
    this.arn = machine.arn;
    this.registerOutputs({ arn: this.arn });
  }

  private createRole(
    name: string,
    definition: pulumi.Output<ReturnType<typeof realtimeStateMachine>>,
    args: RealtimeEmbeddingWorkflowArgs,
  ): ServiceRole {
    const parent = { parent: this };
    const permissions = pulumi
      .all([
        definition,
        aws.getPartitionOutput({}, parent).partition,
        aws.getRegionOutput({}, parent).region,
        aws.getCallerIdentityOutput({}, parent).accountId,
      ])
      .apply(([asl, partition, region, accountId]) =>
        permissionsOf(asl, { name: this.machineName, partition, region, accountId }),
      );
    return new ServiceRole(
      name,
      {
        stem: 'realtime-sf-role',
        service: 'states.amazonaws.com',
        statements: permissions.apply((derived): PolicyStatement[] => [
          ...derived,
          LOG_DELIVERY,
          {
            actions: [
              'xray:PutTraceSegments',
              'xray:PutTelemetryRecords',
              'xray:GetSamplingRules',
              'xray:GetSamplingTargets',
            ],
            resources: ['*'],
          },
        ]),
        tags: args.tags,
      },
      parent,
    );
  }
}
