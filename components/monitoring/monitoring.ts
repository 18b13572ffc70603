import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { FunctionName } from '../function_names.ts';
import { stackName } from '../names.ts';
import type { Tags } from '../tags.ts';
import { createAlarm, functionAlarms, pipelineAlarms, workflowAlarms } from './alarms.ts';
import { dashboardBody, dashboardUrl } from './dashboard.ts';
import type { MonitoredFunction, MonitoredFunctions, MonitoredWorkflow } from './metrics.ts';

export interface MonitoringArgs {
  readonly functions: MonitoredFunctions;
  readonly workflows: readonly MonitoredWorkflow[];
  /**
   * Who gets the alarms by e-mail.
   *
   * @default nobody; they go to the topic alone.
   */
  readonly alertEmail?: string;
  readonly tags: Tags;
}

/** What tells a person how the stack does: alarms, a dashboard, and queries over the logs. */
export class Monitoring extends pulumi.ComponentResource {
  public readonly topicArn: pulumi.Output<string>;
  public readonly dashboardUrl: pulumi.Output<string>;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:monitoring:Monitoring', name, {}, opts);
    const { alertEmail, tags } = args;
    const parent = { parent: this };
    this.topicArn = new AlertTopic(
      'alerts',
      { ...(alertEmail === undefined ? {} : { email: alertEmail }), tags },
      parent,
    ).arn;
    const alarms = this.createAlarms(args);
    this.dashboardUrl = this.createDashboard(args, alarms);
    const hasBatchPath = args.functions.submit_batch !== undefined;
    createLogQueries(
      ['failures', 'receipt', 'execution', ...(hasBatchPath ? (['batch'] as const) : [])],
      deployed(args.functions).map(([, { logGroupName }]) => logGroupName),
      parent,
    );
    this.registerOutputs({ topicArn: this.topicArn, dashboardUrl: this.dashboardUrl });
  }

  private createAlarms({
    functions,
    workflows,
    tags,
  }: MonitoringArgs): aws.cloudwatch.MetricAlarm[] {
    return [
      ...workflows.flatMap(workflowAlarms),
      ...deployed(functions).flatMap(([name, each]) => functionAlarms(name, each)),
      ...pipelineAlarms(functions),
    ].map((definition) =>
      createAlarm({ definition, topicArn: this.topicArn, tags }, { parent: this }),
    );
  }

  private createDashboard(
    { functions, workflows }: MonitoringArgs,
    alarms: readonly aws.cloudwatch.MetricAlarm[],
  ): pulumi.Output<string> {
    const parent = { parent: this };
    const { region } = aws.getRegionOutput({}, parent);
    const body = pulumi
      .all([region, pulumi.output([...workflows]), pulumi.all(alarms.map(({ arn }) => arn))])
      .apply(([regionName, deployedWorkflows, alarmArns]) =>
        JSON.stringify(
          dashboardBody({
            stack: pulumi.getStack(),
            region: regionName,
            functions: Object.fromEntries(
              deployed(functions).map(([name, { functionName }]) => [name, functionName]),
            ),
            workflows: deployedWorkflows,
            alarmArns,
          }),
        ),
      );
    const dashboard = new aws.cloudwatch.Dashboard(
      'dashboard',
      {
        dashboardName: stackName('dashboard', 'receipt-embedding', pulumi.getStack()),
        dashboardBody: body,
      },
      parent,
    );
    return dashboardUrl({
      partition: aws.getPartitionOutput({}, parent).partition,
      region,
      dashboardName: dashboard.dashboardName,
    });
  }
}

function deployed(functions: MonitoredFunctions): [FunctionName, MonitoredFunction][] {
  return Object.entries(functions) as [FunctionName, MonitoredFunction][];
}

export interface AlertTopicArgs {
  /**
   * Who gets what is published, once they have confirmed it.
   *
   * @default nobody; anything may be subscribed by hand.
   */
  readonly email?: string;
  readonly tags: Tags;
}

/**
 * Where alarms are published. Not encrypted with AWS's own key, since CloudWatch may not publish to such a topic; an
 * alarm holds names and numbers alone.
 */
export class AlertTopic extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: AlertTopicArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:monitoring:AlertTopic', name, {}, opts);
    const parent = { parent: this };
    const topic = new aws.sns.Topic(
      `${name}-topic`,
      { name: stackName('topic', 'receipt-embedding-alerts', pulumi.getStack()), tags: args.tags },
      parent,
    );
    new aws.sns.TopicPolicy(
      `${name}-policy`,
      { arn: topic.arn, policy: alarmsAlone(topic.arn, this) },
      parent,
    );
    if (args.email !== undefined) {
      new aws.sns.TopicSubscription(
        `${name}-email`,
        { topic: topic.arn, protocol: 'email', endpoint: args.email },
        parent,
      );
    }
    this.arn = topic.arn;
    this.registerOutputs({ arn: this.arn });
  }
}

/** This account's alarms may publish; nobody may without TLS. */
function alarmsAlone(topicArn: pulumi.Output<string>, parent: pulumi.Resource) {
  return pulumi.jsonStringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AlarmsPublish',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: {
          StringEquals: {
            'aws:SourceAccount': aws.getCallerIdentityOutput({}, { parent }).accountId,
          },
        },
      },
      {
        Sid: 'TlsOnly',
        Effect: 'Deny',
        Principal: '*',
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });
}

/** Questions that come up, ready to be asked in CloudWatch Logs Insights. */
const IDS = 'execution_name, run_id, batch_id, image_id, receipt_id';
const QUERIES = {
  failures: `fields @timestamp, service, error_name, error_message, ${IDS}
| filter level = "ERROR"
| stats count(*) as failures, latest(error_message) as last_message, latest(execution_name) as last_execution by error_name, service
| sort failures desc`,
  receipt: `fields @timestamp, service, level, message, execution_name, run_id, error_name, error_message
| filter image_id = "put the image_id here" and receipt_id = 1
| sort @timestamp asc`,
  execution: `fields @timestamp, service, level, message, ${IDS}, error_name, error_message
| filter execution_name = "put the execution's name here"
| sort @timestamp asc`,
  batch: `fields @timestamp, service, level, message, execution_name, status, action, part, error_name, error_message
| filter batch_id = "put the batch_id here"
| sort @timestamp asc`,
} as const;

/** Creates queries, `receipt-embedding/{stack}/{query}`, over the functions' logs. */
export function createLogQueries(
  names: readonly (keyof typeof QUERIES)[],
  logGroupNames: readonly pulumi.Input<string>[],
  options: pulumi.CustomResourceOptions,
): void {
  for (const name of names) {
    new aws.cloudwatch.QueryDefinition(
      `log-query-${name}`,
      {
        name: `receipt-embedding/${pulumi.getStack()}/${name}`,
        logGroupNames: [...logGroupNames],
        queryString: QUERIES[name],
      },
      options,
    );
  }
}
