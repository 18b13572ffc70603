import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { MetricName } from 'receipt-embedding/ports';
import type { FunctionName } from '../function_names.ts';
import { functionPurpose, stackName } from '../names.ts';
import type { Tags } from '../tags.ts';
import {
  executionMetric,
  functionMetric,
  type Metric,
  type MonitoredFunction,
  type MonitoredFunctions,
  type MonitoredWorkflow,
  ownMetric,
  ROW_READERS,
} from './metrics.ts';

const FIVE_MINUTES = 300;
/** Of the invocations in five minutes. Single ones fail and are retried: that is nobody's concern. */
const TOLERATED_ERRORS_PERCENT = 10;
/** In five minutes; the state machine waits out a few. */
const TOLERATED_THROTTLES = 10;
/** Of the time that a function has: longer, and larger receipts or batches will time out. */
const LONG_DURATION = 0.8;

/** What is watched of each function. */
export function functionAlarms(
  name: FunctionName,
  { functionName, timeout }: MonitoredFunction,
): readonly AlarmDefinition[] {
  const common = { subject: functionPurpose(name), periodSeconds: FIVE_MINUTES };
  return [
    {
      ...common,
      kind: 'function-errors',
      meaning: `${functionName} failed at ${TOLERATED_ERRORS_PERCENT} % or more of its invocations.`,
      metrics: [
        functionMetric(functionName, 'Errors'),
        functionMetric(functionName, 'Invocations'),
      ],
      // A period may have the error of an invocation that an earlier one has counted.
      expression: '100 * m0 / MAX([m0, m1])',
      threshold: TOLERATED_ERRORS_PERCENT,
    },
    {
      ...common,
      kind: 'function-throttles',
      meaning: `Lambda refused to run ${functionName}: the account has too little concurrency left.`,
      metrics: [functionMetric(functionName, 'Throttles')],
      threshold: TOLERATED_THROTTLES,
    },
    {
      ...common,
      kind: 'function-duration',
      meaning: `${functionName} took ${100 * LONG_DURATION} % or more of its ${timeout} seconds.`,
      metrics: [functionMetric(functionName, 'Duration', 'Maximum')],
      // Lambda counts milliseconds.
      threshold: LONG_DURATION * timeout * 1_000,
    },
  ];
}

/** What is watched of each workflow. */
export function workflowAlarms({ name, arn }: MonitoredWorkflow): readonly AlarmDefinition[] {
  const common = { subject: name, periodSeconds: FIVE_MINUTES, threshold: 1 };
  return [
    {
      ...common,
      kind: 'executions-failed',
      meaning: `An execution of ${name} failed; its error and cause say why.`,
      metrics: [executionMetric(arn, 'ExecutionsFailed')],
    },
    {
      ...common,
      kind: 'executions-timed-out',
      meaning: `An execution of ${name} took longer than any should, and was ended.`,
      metrics: [executionMetric(arn, 'ExecutionsTimedOut')],
    },
    {
      ...common,
      kind: 'executions-throttled',
      meaning: `Step Functions slowed ${name} down: the account is at one of its limits.`,
      metrics: [executionMetric(arn, 'ExecutionThrottled')],
    },
  ];
}

const QUARTER_HOUR = 900;
const HOUR = 3_600;
/** OpenAI ends a batch after 24 hours; two more are for the polls. */
const BATCH_HOURS = 26;
/** In a quarter of an hour. A lookup may fail now and then; the receipt then goes without a merchant. */
const TOLERATED_LOOKUP_FAILURES = 5;

/** What is watched of the data's way, as the functions count it themselves. */
export function pipelineAlarms(functions: MonitoredFunctions): readonly AlarmDefinition[] {
  const counted = (
    name: MetricName,
    by: readonly FunctionName[],
    statistic: Metric['statistic'] = 'Sum',
  ): readonly Metric[] =>
    by.flatMap((each) => {
      const deployed = functions[each];
      return deployed === undefined ? [] : [ownMetric(deployed.functionName, name, statistic)];
    });
  const definitions: readonly AlarmDefinition[] = [
    {
      kind: 'receipts-failed',
      meaning: 'Receipts could not be embedded by the realtime workflow.',
      metrics: counted('ReceiptsFailed', ['summarize_realtime_run']),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'batches-failed',
      meaning: 'Batches could not be submitted, or not be brought to an end.',
      metrics: counted('BatchesFailed', ['summarize_batch_submit', 'summarize_batch_poll']),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'batch-rows-failed',
      meaning: 'OpenAI refused lines or words of a batch; they are FAILED in the table.',
      metrics: counted('BatchRowsFailed', ['mark_batch_complete']),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'oldest-pending-batch',
      meaning: `A batch has been pending for ${BATCH_HOURS} hours or longer.`,
      metrics: counted('OldestPendingBatchAge', ['list_pending_batches'], 'Maximum'),
      periodSeconds: HOUR,
      threshold: BATCH_HOURS * HOUR,
    },
    {
      kind: 'invalid-rows',
      meaning: 'Rows of the table could not be read, and were left out.',
      metrics: counted('InvalidRows', ROW_READERS),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'merchant-lookups-failed',
      meaning: 'Merchants could not be looked up; receipts were embedded without.',
      metrics: counted('MerchantLookupsFailed', ['process_receipt_realtime']),
      periodSeconds: QUARTER_HOUR,
      threshold: TOLERATED_LOOKUP_FAILURES,
    },
  ];
  return definitions.filter(({ metrics }) => metrics.length > 0).map(summed);
}

/** What several functions count is added up; one that has counted nothing counts as 0. */
function summed(definition: AlarmDefinition): AlarmDefinition {
  if (definition.metrics.length === 1) return definition;
  const terms = definition.metrics.map((_, at) => `FILL(m${at}, 0)`);
  return { ...definition, expression: terms.join(' + ') };
}

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
