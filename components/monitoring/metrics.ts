import type * as pulumi from '@pulumi/pulumi';
import type { DimensionOf, MetricName } from 'receipt-embedding/ports';
import type { FunctionName } from '../function_names.ts';

/** The namespace of what the functions count themselves (simple_lambdas/runtime/metrics.ts). */
export const NAMESPACE = 'ReceiptEmbeddings';

/** One metric of CloudWatch's, and how its values are brought together. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, pulumi.Input<string>>>;
  readonly statistic: 'Sum' | 'Maximum' | 'p50' | 'p95';
}

/** What a function counts itself. */
export function ownMetric(
  functionName: string,
  name: MetricName,
  statistic: Metric['statistic'] = 'Sum',
): Metric {
  return { namespace: NAMESPACE, name, dimensions: { service: functionName }, statistic };
}

/** All values of a metric that a function counts by one more dimension, as a search that finds them. */
export function ownMetrics<Name extends keyof DimensionOf>(
  functionName: string,
  name: Name,
  dimension: DimensionOf[Name],
  statistic: 'Sum' | 'Maximum',
  periodSeconds: number,
): string {
  return (
    `SEARCH('{${NAMESPACE},service,${dimension}} MetricName="${name}" ` +
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

/** A function, as far as it is watched. */
export interface MonitoredFunction {
  readonly functionName: string;
  readonly logGroupName: pulumi.Input<string>;
  /** Seconds. */
  readonly timeout: number;
}

/** The functions that a stack has. */
export type MonitoredFunctions = Readonly<Partial<Record<FunctionName, MonitoredFunction>>>;

/** The functions that read rows of the table one by one, and count those that they can't read. */
export const ROW_READERS = [
  'find_receipts_realtime',
  'process_receipt_realtime',
  'plan_batches',
  'list_pending_batches',
] as const satisfies readonly FunctionName[];

/** A workflow, as far as it is watched. */
export interface MonitoredWorkflow {
  /** In kebab case. */
  readonly name: string;
  readonly arn: pulumi.Input<string>;
}
