import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { dashboardUrl } from '../aws_console.ts';
import { policyDocument, withoutTls } from '../iam.ts';
import { allowedName, stackName } from '../names.ts';
import { createAlarms } from './alarms.ts';
import { dashboardBody } from './dashboard.ts';
import type { MonitoredFunctions, MonitoredQueues, MonitoredWorkflow } from './metrics.ts';

export interface MonitoringArgs {
  readonly functions: MonitoredFunctions;
  readonly workflows: readonly MonitoredWorkflow[];
  /** Those of arrivals, where the stack has them. */
  readonly queues: MonitoredQueues | undefined;
  /**
   * Who gets the alarms by e-mail, once they have confirmed it.
   *
   * @default nobody; they go to the topic alone, to which anything may be subscribed by hand.
   */
  readonly alertEmail?: string | undefined;
}

/** Questions that come up, ready to be asked in CloudWatch Logs Insights. */
const IDS = 'execution_name, run_id, batch_id, image_id, receipt_id';
const LOG_QUERIES = {
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
};

/** What tells a person how the stack does: alarms, a dashboard, and queries over the logs. */
export class Monitoring extends pulumi.ComponentResource {
  public readonly topicArn: pulumi.Output<string>;
  public readonly dashboardUrl: pulumi.Output<string>;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:monitoring:Monitoring', name, {}, opts);
    this.topicArn = this.createTopic(args);
    const alarms = createAlarms({ ...args, topicArn: this.topicArn }, { parent: this });
    this.dashboardUrl = this.createDashboard(args, alarms);
    this.createLogQueries(args);
    this.registerOutputs({ topicArn: this.topicArn, dashboardUrl: this.dashboardUrl });
  }

  /**
   * Where alarms are published. Not encrypted with AWS's own key, since CloudWatch may not publish to such a topic; an
   * alarm holds names and numbers alone.
   */
  private createTopic({ alertEmail }: MonitoringArgs): pulumi.Output<string> {
    const parent = { parent: this };
    const name = stackName('topic', 'receipt-embedding-alerts', pulumi.getStack());
    const { arn } = new aws.sns.Topic('alerts-topic', { name }, parent);
    const { accountId } = aws.getCallerIdentityOutput({}, parent);
    const publish = { actions: ['sns:Publish'], resources: [arn] };
    new aws.sns.TopicPolicy(
      'alerts-policy',
      {
        arn,
        policy: policyDocument([
          // This account's alarms may publish; nobody may without TLS.
          {
            ...publish,
            effect: 'Allow',
            principal: { service: 'cloudwatch.amazonaws.com' },
            conditions: { StringEquals: { 'aws:SourceAccount': accountId } },
          },
          withoutTls(publish.actions, publish.resources),
        ]),
      },
      parent,
    );
    if (alertEmail !== undefined) {
      new aws.sns.TopicSubscription(
        'alerts-email',
        { topic: arn, protocol: 'email', endpoint: alertEmail },
        parent,
      );
    }
    return arn;
  }

  private createDashboard(
    { functions, workflows, queues }: MonitoringArgs,
    alarms: readonly aws.cloudwatch.MetricAlarm[],
  ): pulumi.Output<string> {
    const parent = { parent: this };
    const { region } = aws.getRegionOutput({}, parent);
    const stack = pulumi.getStack();
    const body = pulumi
      .all([
        region,
        pulumi.output([...workflows]),
        pulumi.output(queues),
        pulumi.all(alarms.map(({ arn }) => arn)),
      ])
      .apply(([regionName, deployedWorkflows, deployedQueues, alarmArns]) =>
        JSON.stringify(
          dashboardBody({
            stack,
            region: regionName,
            functions,
            workflows: deployedWorkflows,
            queues: deployedQueues,
            alarmArns,
          }),
        ),
      );
    const { dashboardName } = new aws.cloudwatch.Dashboard(
      'dashboard',
      {
        dashboardName: stackName('dashboard', 'receipt-embedding', stack),
        dashboardBody: body,
      },
      parent,
    );
    return pulumi
      .all([aws.getPartitionOutput({}, parent).partition, region, dashboardName])
      .apply((location) => dashboardUrl(...location));
  }

  /** `receipt-embedding/{stack}/{query}`, over the functions' logs. */
  private createLogQueries({ functions }: MonitoringArgs): void {
    for (const [name, queryString] of Object.entries(LOG_QUERIES)) {
      new aws.cloudwatch.QueryDefinition(
        `log-query-${name}`,
        {
          name: allowedName('logQuery', `receipt-embedding/${pulumi.getStack()}/${name}`),
          logGroupNames: [...functions.values()].map(({ logGroupName }) => logGroupName),
          queryString,
        },
        { parent: this },
      );
    }
  }
}
