import type * as pulumi from '@pulumi/pulumi';
import type { DimensionOf, MetricName } from 'receipt-embedding/ports';

/** The namespace of what the functions count themselves (simple_lambdas/runtime/metrics.ts). */
export const NAMESPACE = 'ReceiptEmbeddings';

/** One metric of CloudWatch's, and how its values are brought together. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, pulumi.Input<string>>>;
  readonly statistic: 'Sum' | 'Maximum' | 'p50' | 'p95';
}

/** What a function counts itself. @param more dimensions beside `service`: what summarize_execution counts has `workflow`. */
export function ownMetric(
  functionName: string,
  name: MetricName,
  statistic: Metric['statistic'] = 'Sum',
  more: Readonly<Record<string, string>> = {},
): Metric {
  return { namespace: NAMESPACE, name, dimensions: { service: functionName, ...more }, statistic };
}

/** All values of a metric that a function counts by one more dimension, as a search that finds them. */
export function ownMetrics<Name extends keyof DimensionOf>(
  functionName: string,
  name: Name,
  dimension: DimensionOf[Name],
  statistic: 'Sum' | 'Maximum',
  periodSeconds: number,
  more = '',
): string {
  return (
    `SEARCH('{${NAMESPACE},service,${more}${dimension}} MetricName="${name}" ` +
    `service="${functionName}"', '${statistic}', ${periodSeconds})`
  );
}

/** What Lambda counts of every function. */
export function functionMetric(
  functionName: string,
  name: 'Invocations' | 'Errors' | 'Throttles' | 'Duration',
  statistic: Metric['statistic'] = 'Sum',
): Metric {
  return {
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: functionName },
    statistic,
  };
}

/** What Step Functions counts of every state machine. */
export function executionMetric(
  stateMachineArn: pulumi.Input<string>,
  name:
    | 'ExecutionsStarted'
    | 'ExecutionsSucceeded'
    | 'ExecutionsFailed'
    | 'ExecutionsTimedOut'
    | 'ExecutionThrottled',
): Metric {
  return {
    namespace: 'AWS/States',
    name,
    dimensions: { StateMachineArn: stateMachineArn },
    statistic: 'Sum',
  };
}
