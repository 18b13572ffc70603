import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { stackName } from '../names.ts';
import type { Tags } from '../tags.ts';
import type { Metric } from './metrics.ts';

/** Every kind has a section of its name in docs/operations.md. */
export const ALARM_KINDS = [
  'executions-failed',
  'executions-timed-out',
  'executions-throttled',
  'function-errors',
  'function-throttles',
  'function-duration',
  'receipts-failed',
  'batches-failed',
  'batch-rows-failed',
  'oldest-pending-batch',
  'invalid-rows',
  'merchant-lookups-failed',
] as const;
type AlarmKind = (typeof ALARM_KINDS)[number];

export interface AlarmDefinition {
  readonly kind: AlarmKind;
  /** What it watches, in kebab case, where there are several of the kind. */
  readonly subject?: string;
  /** What it says when it rings. */
  readonly meaning: string;
  /** One, or several and an expression over them, in which they are m0, m1, …. */
  readonly metrics: readonly Metric[];
  readonly expression?: string;
  readonly periodSeconds: number;
  /** It rings when the value of one period is this, or more. */
  readonly threshold: number;
}

export interface AlarmArgs {
  readonly definition: AlarmDefinition;
  /** Who hears of it, when it begins to ring and when it ends. */
  readonly topicArn: pulumi.Input<string>;
  readonly tags: Tags;
}

/** Creates an alarm, `{kind}-{subject}-{stack}`. Where nothing is counted, nothing is wrong. */
export function createAlarm(
  { definition, topicArn, tags }: AlarmArgs,
  options: pulumi.CustomResourceOptions,
): aws.cloudwatch.MetricAlarm {
  const { kind, subject, meaning, threshold } = definition;
  const stem = subject === undefined ? kind : `${kind}-${subject}`;
  return new aws.cloudwatch.MetricAlarm(
    stem,
    {
      name: stackName('alarm', `receipt-embedding-${stem}`, pulumi.getStack()),
      alarmDescription: `${meaning} What to do: docs/operations.md, "${kind}".`,
      ...watched(definition),
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      threshold,
      evaluationPeriods: 1,
      treatMissingData: 'notBreaching',
      alarmActions: [topicArn],
      okActions: [topicArn],
      tags,
    },
    options,
  );
}

function watched({
  metrics,
  expression,
  periodSeconds,
}: AlarmDefinition): Pick<aws.cloudwatch.MetricAlarmArgs, 'metricQueries'> {
  const query = (metric: Metric, at: number) => ({
    id: `m${at}`,
    returnData: expression === undefined,
    metric: {
      namespace: metric.namespace,
      metricName: metric.name,
      dimensions: metric.dimensions,
      stat: metric.statistic,
      period: periodSeconds,
    },
  });
  return {
    metricQueries: [
      ...metrics.map(query),
      ...(expression === undefined ? [] : [{ id: 'value', expression, returnData: true }]),
    ],
  };
}
