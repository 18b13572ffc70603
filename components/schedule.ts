import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { ServiceRole } from './iam.ts';
import { stackName } from './names.ts';
import type { Tags } from './tags.ts';

export interface WorkflowScheduleArgs {
  /** Its name without the stack's. */
  readonly stem: string;
  /** When: `rate(…)` or `cron(…)`, in UTC. */
  readonly expression: string;
  readonly stateMachineArn: pulumi.Input<string>;
  readonly tags: Tags;
}

/** A start that could not be made is tried again so often and so long; the next one finds what it missed. */
const RETRY_POLICY = { maximumRetryAttempts: 5, maximumEventAgeInSeconds: 900 } as const;

/** Starts a workflow again and again, with an empty input (EventBridge Scheduler). */
export class WorkflowSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: WorkflowScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:workflow:WorkflowSchedule', name, {}, opts);
    const role = this.createRole(name, args);
    new aws.scheduler.Schedule(
      `${name}-schedule`,
      {
        name: stackName('schedule', args.stem, pulumi.getStack()),
        scheduleExpression: args.expression,
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: args.stateMachineArn,
          roleArn: role.arn,
          input: '{}',
          retryPolicy: RETRY_POLICY,
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  private createRole(name: string, args: WorkflowScheduleArgs): ServiceRole {
    const parent = { parent: this };
    return new ServiceRole(
      name,
      {
        stem: `${args.stem}-role`,
        service: 'scheduler.amazonaws.com',
        // Any account's schedule could name this role otherwise.
        trustConditions: {
          StringEquals: {
            'aws:SourceAccount': aws.getCallerIdentityOutput({}, parent).accountId,
          },
        },
        statements: [{ actions: ['states:StartExecution'], resources: [args.stateMachineArn] }],
        tags: args.tags,
      },
      parent,
    );
  }
}
