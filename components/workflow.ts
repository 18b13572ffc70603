import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { type EncryptionKey, objectKeyPermissions } from './encryption.ts';
import type { LambdaFunctions } from './lambda_functions.ts';
import { type PolicyStatement, ServiceRole } from './iam.ts';
import { stackName } from './names.ts';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import type { StateMachineDefinition } from './state_machines/asl.ts';
import type { RealtimeStateMachineSettings } from './state_machines/realtime.ts';
import type { StateMachineSettings, WorkflowName } from './state_machines/workflow_settings.ts';
import {
  type Deployed,
  functionsOf,
  permissionsOf,
  STATE_MACHINES,
} from './state_machines/workflows.ts';

export interface WorkflowArgs {
  /** Has those that the workflow's states invoke. */
  readonly functions: Pick<LambdaFunctions, 'byName'>;
  /** The vector stores of the stack. */
  readonly stores: readonly StoreName[];
  /** The bucket of the executions' files. */
  readonly bucket: pulumi.Input<string>;
  /**
   * The key that the bucket is encrypted with.
   *
   * @default one of AWS's own
   */
  readonly bucketKey?: EncryptionKey | undefined;
  /** Receipts, or batches, at a time. */
  readonly maxConcurrency: number;
  /** An execution fails when more of its receipts, or batches, than these percent failed. */
  readonly toleratedFailurePercentage: number;
  readonly logRetentionDays: number;
  /**
   * When it starts by itself.
   *
   * @default it is started by hand.
   */
  readonly schedules?: readonly WorkflowSchedule[];
}

/** When a workflow starts by itself, and with what. Its executions never pile up: one that finds another of its kind running ends. */
export interface WorkflowSchedule {
  /** `{stem}-schedule`, `{stem}-schedule-role`. */
  readonly stem: string;
  /** `rate(…)`, `cron(…)` or `at(…)`, in UTC; undefined: there is no such schedule. */
  readonly expression: string | undefined;
  /**
   * What the workflow is started with beside `alone`.
   *
   * @default nothing
   */
  readonly input?: Readonly<Record<string, unknown>>;
}

/** How a workflow's resources are called, without the stack's name. */
interface WorkflowNames {
  /** Its type token is `receipts:workflow:{class}`. */
  readonly class: string;
  /** `{stem}-embedding-sf`, `{stem}-sf-role`. */
  readonly stem: string;
}

const WORKFLOW_NAMES = {
  realtime: { class: 'RealtimeEmbeddingWorkflow', stem: 'realtime' },
  batch_submit: { class: 'BatchSubmitWorkflow', stem: 'batch-submit' },
  batch_poll: { class: 'BatchPollWorkflow', stem: 'batch-poll' },
} as const satisfies Readonly<Record<WorkflowName, WorkflowNames>>;

/** The names of the stack's state machines, which are known before they exist. */
export function stateMachineNames(): string[] {
  return (Object.keys(WORKFLOW_NAMES) as WorkflowName[]).map(stateMachineName);
}

/** The name of a workflow's state machine. */
export function stateMachineName(workflow: WorkflowName): string {
  const { stem } = WORKFLOW_NAMES[workflow];
  return stackName('stateMachine', `${stem}-embedding-sf`, pulumi.getStack());
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

/** A start that could not be made is tried again so often and so long; the next one finds what it missed. */
const START_RETRY_POLICY = { maximumRetryAttempts: 5, maximumEventAgeInSeconds: 900 } as const;

/** A state machine with its log, a role that derives from its definition, and a schedule if it is to start by itself. */
export abstract class Workflow extends pulumi.ComponentResource {
  /** In kebab case. */
  public readonly name: string;
  /** Known once the state machine exists. */
  public readonly arn: pulumi.Output<string>;
  private readonly stem: string;
  private readonly machineName: string;

  /** @param stateMachine gives the definition. */
  protected constructor(
    workflow: WorkflowName,
    stateMachine: (settings: Deployed<StateMachineSettings>) => StateMachineDefinition,
    name: string,
    args: WorkflowArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const names = WORKFLOW_NAMES[workflow];
    super(`receipts:workflow:${names.class}`, name, {}, opts);
    this.name = name;
    this.stem = names.stem;
    this.machineName = stateMachineName(workflow);
    const definition = this.define(workflow, stateMachine, args);
    const role = this.createRole(name, definition, args);
    const logGroup = this.createLogGroup(name, args);
    this.arn = this.createStateMachine(name, definition, role, logGroup).arn;
    for (const schedule of args.schedules ?? []) this.createSchedule(schedule);
    this.registerOutputs({ arn: this.arn });
  }

  private define(
    workflow: WorkflowName,
    stateMachine: (settings: Deployed<StateMachineSettings>) => StateMachineDefinition,
    { functions, stores, bucket, maxConcurrency, toleratedFailurePercentage }: WorkflowArgs,
  ): pulumi.Output<StateMachineDefinition> {
    const arns = Object.fromEntries(
      functionsOf([workflow], stores).map(({ name }) => [name, functions.byName(name).arn]),
    );
    const { partition } = aws.getPartitionOutput({}, { parent: this });
    return pulumi
      .all([pulumi.output(arns), bucket, partition])
      .apply(([arnsByName, bucketName, inPartition]) =>
        stateMachine({
          partition: inPartition,
          functionArn: ({ name }) => arnsByName[name] ?? '',
          bucket: bucketName,
          stores,
          maxConcurrency,
          toleratedFailurePercentage,
        }),
      );
  }

  private createRole(
    name: string,
    definition: pulumi.Output<StateMachineDefinition>,
    { bucketKey }: WorkflowArgs,
  ): ServiceRole {
    const parent = { parent: this };
    const statements = pulumi
      .all([
        definition,
        aws.getPartitionOutput({}, parent).partition,
        aws.getRegionOutput({}, parent).region,
        aws.getCallerIdentityOutput({}, parent).accountId,
      ])
      .apply(([known, partition, region, accountId]): PolicyStatement[] => [
        ...permissionsOf(known, { name: this.machineName, partition, region, accountId }),
        // The Map's ItemReader, and its ResultWriter.
        ...objectKeyPermissions(bucketKey, ['read', 'write in parts']),
        LOG_DELIVERY,
        TRACING,
      ]);
    return new ServiceRole(
      name,
      { stem: `${this.stem}-sf-role`, service: 'states.amazonaws.com', statements },
      parent,
    );
  }

  private createLogGroup(
    name: string,
    { logRetentionDays }: WorkflowArgs,
  ): aws.cloudwatch.LogGroup {
    return new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        // Under this prefix log delivery needs no resource policy that grows with each state machine.
        name: `/aws/vendedlogs/states/${this.machineName}`,
        retentionInDays: logRetentionDays,
      },
      { parent: this },
    );
  }

  private createStateMachine(
    name: string,
    definition: pulumi.Output<StateMachineDefinition>,
    role: ServiceRole,
    logGroup: aws.cloudwatch.LogGroup,
  ): aws.sfn.StateMachine {
    return new aws.sfn.StateMachine(
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
      },
      { parent: this },
    );
  }

  /** EventBridge Scheduler. */
  private createSchedule({ stem, expression, input = {} }: WorkflowSchedule): void {
    if (expression === undefined) return;
    const parent = { parent: this };
    const role = new ServiceRole(
      `${stem}-schedule`,
      {
        stem: `${stem}-schedule-role`,
        service: 'scheduler.amazonaws.com',
        // Any account's schedule could name this role otherwise.
        trustConditions: {
          StringEquals: {
            'aws:SourceAccount': aws.getCallerIdentityOutput({}, parent).accountId,
          },
        },
        statements: [{ actions: ['states:StartExecution'], resources: [this.arn] }],
      },
      parent,
    );
    new aws.scheduler.Schedule(
      `${stem}-schedule`,
      {
        name: stackName('schedule', `${stem}-schedule`, pulumi.getStack()),
        scheduleExpression: expression,
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: this.arn,
          roleArn: role.arn,
          input: JSON.stringify({ ...input, alone: true }),
          retryPolicy: START_RETRY_POLICY,
        },
      },
      parent,
    );
  }
}

export interface RealtimeEmbeddingWorkflowArgs
  extends WorkflowArgs, Pick<RealtimeStateMachineSettings, 'childExecutionType'> {}

/** The receipts that are found are embedded at once, into ChromaDB deltas. */
export class RealtimeEmbeddingWorkflow extends Workflow {
  constructor(
    name: string,
    args: RealtimeEmbeddingWorkflowArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const { childExecutionType } = args;
    super(
      'realtime',
      (settings) => STATE_MACHINES.realtime({ ...settings, childExecutionType }),
      name,
      args,
      opts,
    );
  }
}

/** The batch path's first half: lines and words that are to be embedded become batches at OpenAI. */
export class BatchSubmitWorkflow extends Workflow {
  constructor(name: string, args: WorkflowArgs, opts?: pulumi.ComponentResourceOptions) {
    super('batch_submit', STATE_MACHINES.batch_submit, name, args, opts);
  }
}

/** The batch path's second half: batches that have ended at OpenAI are ingested into the log, the stores and the table. */
export class BatchPollWorkflow extends Workflow {
  constructor(name: string, args: WorkflowArgs, opts?: pulumi.ComponentResourceOptions) {
    super('batch_poll', STATE_MACHINES.batch_poll, name, args, opts);
  }
}
