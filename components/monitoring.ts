import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { FunctionName } from './function_names.ts';
import { createAlarm } from './monitoring/alarm.ts';
import { AlertTopic } from './monitoring/alert_topic.ts';
import { dashboardBody } from './monitoring/dashboard.ts';
import { dashboardUrl } from './monitoring/dashboard_url.ts';
import { functionAlarms } from './monitoring/function_alarms.ts';
import { createLogQueries } from './monitoring/log_queries.ts';
import type {
  MonitoredFunction,
  MonitoredFunctions,
  MonitoredWorkflow,
} from './monitoring/monitored.ts';
import { pipelineAlarms } from './monitoring/pipeline_alarms.ts';
import { workflowAlarms } from './monitoring/workflow_alarms.ts';
import { stackName } from './names.ts';
import type { Tags } from './tags.ts';

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
