import type * as pulumi from '@pulumi/pulumi';
import type { DimensionOf, MetricName } from 'receipt-embedding/ports';
import { declaration as findReceipts } from '../../simple_lambdas/find_receipts_realtime/declaration.ts';
import { declaration as listPendingBatches } from '../../simple_lambdas/list_pending_batches/declaration.ts';
import { declaration as noteArrivals } from '../../simple_lambdas/note_arrivals/declaration.ts';
import { declaration as planBatches } from '../../simple_lambdas/plan_batches/declaration.ts';
import { declaration as processReceipt } from '../../simple_lambdas/process_receipt_realtime/declaration.ts';
import type { DeclaredFunction } from '../../simple_lambdas/runtime/declaration.ts';
import type { WorkflowName } from '../state_machines/workflow_settings.ts';

/** The functions that read rows of the table one by one, and count those that they can't read. */
export const ROW_READERS: readonly DeclaredFunction[] = [
  findReceipts,
  processReceipt,
  planBatches,
  listPendingBatches,
  noteArrivals,
];

/** A function, as far as it is watched. */
export interface MonitoredFunction {
  readonly declaration: DeclaredFunction;
  readonly functionName: string;
  readonly logGroupName: pulumi.Input<string>;
}

/** The functions that a stack has, by their folders in `simple_lambdas`. */
export type MonitoredFunctions = ReadonlyMap<string, MonitoredFunction>;

/** A workflow, as far as it is watched. */
export interface MonitoredWorkflow {
  /** In kebab case. */
  readonly name: string;
  readonly arn: pulumi.Input<string>;
}

/** The queues of arrivals, by their names. */
export interface MonitoredQueues {
  readonly waiting: pulumi.Input<string>;
  readonly failed: pulumi.Input<string>;
}

/** One metric of CloudWatch's, and how its values are brought together. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, pulumi.Input<string>>>;
  readonly statistic: 'Sum' | 'Maximum' | 'p50' | 'p95';
}

/** The namespace of what the functions count themselves (simple_lambdas/runtime/metrics.ts). */
const NAMESPACE = 'ReceiptEmbeddings';

/**
 * What a function counts itself; undefined for a function that the stack does not have.
 *
 * @param workflow of which it counts it, for a function that serves several.
 */
export function ownMetric(
  functions: MonitoredFunctions,
  { name: folder }: DeclaredFunction,
  name: MetricName,
  {
    statistic = 'Sum',
    workflow,
  }: { readonly statistic?: Metric['statistic']; readonly workflow?: WorkflowName } = {},
): Metric | undefined {
  const service = functions.get(folder)?.functionName;
  if (service === undefined) return undefined;
  const dimensions = workflow === undefined ? { service } : { service, workflow };
  return { namespace: NAMESPACE, name, dimensions, statistic };
}

/** All values of a metric that a function counts by more dimensions than the function, as a search that finds them. */
export function ownMetrics(
  functions: MonitoredFunctions,
  { name: folder }: DeclaredFunction,
  name: keyof DimensionOf,
  dimensions: readonly string[],
  statistic: 'Sum' | 'Maximum',
  periodSeconds: number,
): string | undefined {
  const service = functions.get(folder)?.functionName;
  if (service === undefined) return undefined;
  const schema = [NAMESPACE, 'service', ...dimensions].join(',');
  return `SEARCH('{${schema}} MetricName="${name}" service="${service}"', '${statistic}', ${periodSeconds})`;
}

/** What Lambda counts of every function. */
export function functionMetric(
  functionName: string,
  name: 'Invocations' | 'Errors' | 'Throttles' | 'Duration' | 'IteratorAge',
  statistic: Metric['statistic'] = 'Sum',
): Metric {
  return {
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: functionName },
    statistic,
  };
}

/** What SQS counts of every queue. */
export function queueMetric(
  queueName: pulumi.Input<string>,
  name: 'ApproximateAgeOfOldestMessage' | 'ApproximateNumberOfMessagesVisible',
): Metric {
  return {
    namespace: 'AWS/SQS',
    name,
    dimensions: { QueueName: queueName },
    statistic: 'Maximum',
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
