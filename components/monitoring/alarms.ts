import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { declaration as listPendingBatches } from '../../simple_lambdas/list_pending_batches/declaration.ts';
import { declaration as markBatchComplete } from '../../simple_lambdas/mark_batch_complete/declaration.ts';
import { declaration as noteArrivals } from '../../simple_lambdas/note_arrivals/declaration.ts';
import { declaration as processReceipt } from '../../simple_lambdas/process_receipt_realtime/declaration.ts';
import { declaration as summarizeExecution } from '../../simple_lambdas/summarize_execution/declaration.ts';
import { functionPurpose, stackName } from '../names.ts';
import {
  executionMetric,
  functionMetric,
  type Metric,
  type MonitoredFunction,
  type MonitoredFunctions,
  type MonitoredQueues,
  type MonitoredWorkflow,
  ownMetric,
  queueMetric,
  ROW_READERS,
} from './metrics.ts';

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
  'batches-parked',
  'invalid-rows',
  'merchant-lookups-failed',
  'arrivals-late',
  'arrivals-failed',
] as const;

interface AlarmDefinition {
  readonly kind: (typeof ALARM_KINDS)[number];
  /** What it watches, in kebab case, where there are several of the kind. */
  readonly subject?: string;
  /** What it says when it rings. */
  readonly meaning: string;
  /** Several are added up, one that has counted nothing as 0, unless there is an `expression`. */
  readonly metrics: readonly Metric[];
  /** Over the metrics, in which they are m0, m1, …. */
  readonly expression?: string;
  readonly periodSeconds: number;
  /** It rings when the value of one period is this, or more. */
  readonly threshold: number;
}

interface AlarmsArgs {
  readonly functions: MonitoredFunctions;
  readonly workflows: readonly MonitoredWorkflow[];
  readonly queues: MonitoredQueues | undefined;
  /** Who hears of them, when they begin to ring and when they end. */
  readonly topicArn: pulumi.Input<string>;
}

const FIVE_MINUTES = 300;
const QUARTER_HOUR = 900;
const HOUR = 3_600;
/** Of the invocations in five minutes. Single ones fail and are retried: that is nobody's concern. */
const TOLERATED_ERRORS_PERCENT = 10;
/** In five minutes; the state machine waits out a few. */
const TOLERATED_THROTTLES = 10;
/** Of the time that a function has: longer, and larger receipts or batches will time out. */
const LONG_DURATION = 0.8;
/** OpenAI ends a batch after 24 hours; two more are for the polls. */
const BATCH_HOURS = 26;
/** Arrivals are to be searchable within minutes. */
const LATE_MINUTES = 15;
/** SQS's longest delay of a message, in which it grows older too. */
const LONGEST_QUIET_SECONDS = 900;
/** In a quarter of an hour. A lookup may fail now and then; the receipt then goes without a merchant. */
const TOLERATED_LOOKUP_FAILURES = 5;

/** Creates every alarm of a stack, `receipt-embedding-{kind}-{subject}-{stack}`. Where nothing is counted, nothing is wrong. */
export function createAlarms(
  { functions, workflows, queues, topicArn }: AlarmsArgs,
  options: pulumi.CustomResourceOptions,
): aws.cloudwatch.MetricAlarm[] {
  return [
    ...workflows.flatMap(workflowAlarms),
    ...[...functions.values()].flatMap(functionAlarms),
    ...pipelineAlarms(functions),
    ...(queues === undefined ? [] : arrivalAlarms(functions, queues)),
  ].map((definition) => {
    const { kind, subject, meaning, threshold } = definition;
    const stem = subject === undefined ? kind : `${kind}-${subject}`;
    return new aws.cloudwatch.MetricAlarm(
      stem,
      {
        name: stackName('alarm', `receipt-embedding-${stem}`, pulumi.getStack()),
        alarmDescription: `${meaning} What to do: docs/operations.md, "${kind}".`,
        metricQueries: metricQueries(definition),
        comparisonOperator: 'GreaterThanOrEqualToThreshold',
        threshold,
        evaluationPeriods: 1,
        treatMissingData: 'notBreaching',
        alarmActions: [topicArn],
        okActions: [topicArn],
      },
      options,
    );
  });
}

function workflowAlarms({ name, arn }: MonitoredWorkflow): readonly AlarmDefinition[] {
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

function functionAlarms({
  declaration,
  functionName,
}: MonitoredFunction): readonly AlarmDefinition[] {
  const common = { subject: functionPurpose(declaration), periodSeconds: FIVE_MINUTES };
  const { timeout_s: timeout } = declaration;
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

/** What the functions count themselves; without what only functions count that the stack does not have. */
function pipelineAlarms(functions: MonitoredFunctions): readonly AlarmDefinition[] {
  const counted = (...args: DropFirst<Parameters<typeof ownMetric>>): readonly Metric[] =>
    [ownMetric(functions, ...args)].filter((metric) => metric !== undefined);
  const definitions: readonly AlarmDefinition[] = [
    {
      kind: 'receipts-failed',
      meaning: 'Receipts could not be embedded by the realtime workflow.',
      metrics: counted(summarizeExecution, 'ReceiptsFailed', { workflow: 'realtime' }),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'batches-failed',
      meaning: 'Batches could not be submitted, or not be brought to an end.',
      metrics: (['batch_submit', 'batch_poll'] as const).flatMap((workflow) =>
        counted(summarizeExecution, 'BatchesFailed', { workflow }),
      ),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'batch-rows-failed',
      meaning: 'OpenAI refused lines or words of a batch; they are FAILED in the table.',
      metrics: counted(markBatchComplete, 'BatchRowsFailed'),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'oldest-pending-batch',
      meaning: `A batch has been pending for ${BATCH_HOURS} hours or longer.`,
      metrics: counted(listPendingBatches, 'OldestPendingBatchAge', { statistic: 'Maximum' }),
      periodSeconds: HOUR,
      threshold: BATCH_HOURS * HOUR,
    },
    {
      kind: 'batches-parked',
      meaning: 'Batches failed again and again, and no poll tries them any more.',
      metrics: counted(listPendingBatches, 'ParkedBatches', { statistic: 'Maximum' }),
      periodSeconds: HOUR,
      threshold: 1,
    },
    {
      kind: 'invalid-rows',
      meaning: 'Rows of the table could not be read, and were left out.',
      metrics: ROW_READERS.flatMap((reader) => counted(reader, 'InvalidRows')),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'merchant-lookups-failed',
      meaning: 'Merchants could not be looked up; receipts were embedded without.',
      metrics: counted(processReceipt, 'MerchantLookupsFailed'),
      periodSeconds: QUARTER_HOUR,
      threshold: TOLERATED_LOOKUP_FAILURES,
    },
  ];
  return definitions.filter(({ metrics }) => metrics.length > 0);
}

/** What Lambda and SQS count of arrivals. */
function arrivalAlarms(
  functions: MonitoredFunctions,
  { waiting, failed }: MonitoredQueues,
): readonly AlarmDefinition[] {
  const reader = functions.get(noteArrivals.name);
  return [
    ...(reader === undefined
      ? []
      : [
          {
            kind: 'arrivals-late' as const,
            subject: 'stream',
            meaning: `Changes of the table are read ${LATE_MINUTES} minutes late, or later.`,
            metrics: [functionMetric(reader.functionName, 'IteratorAge', 'Maximum')],
            periodSeconds: FIVE_MINUTES,
            // Lambda counts milliseconds.
            threshold: LATE_MINUTES * 60_000,
          },
        ]),
    {
      kind: 'arrivals-late',
      subject: 'queue',
      meaning: `Receipts have waited ${LATE_MINUTES} minutes or longer beyond their quiet time.`,
      metrics: [queueMetric(waiting, 'ApproximateAgeOfOldestMessage')],
      periodSeconds: FIVE_MINUTES,
      threshold: LONGEST_QUIET_SECONDS + LATE_MINUTES * 60,
    },
    {
      kind: 'arrivals-failed',
      meaning: 'Changes of receipts could not be taken up, and are put aside.',
      metrics: [queueMetric(failed, 'ApproximateNumberOfMessagesVisible')],
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
  ];
}

type DropFirst<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest]
  ? Rest
  : never;

function metricQueries({
  metrics,
  periodSeconds,
  expression = metrics.length > 1
    ? metrics.map((_, at) => `FILL(m${at}, 0)`).join(' + ')
    : undefined,
}: AlarmDefinition): aws.types.input.cloudwatch.MetricAlarmMetricQuery[] {
  return [
    ...metrics.map((metric, at) => ({
      id: `m${at}`,
      returnData: expression === undefined,
      metric: {
        namespace: metric.namespace,
        metricName: metric.name,
        dimensions: metric.dimensions,
        stat: metric.statistic,
        period: periodSeconds,
      },
    })),
    ...(expression === undefined ? [] : [{ id: 'value', expression, returnData: true }]),
  ];
}
