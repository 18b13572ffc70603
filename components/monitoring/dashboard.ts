import type { MetricName } from 'receipt-embedding/ports';
import { FUNCTION_NAMES, type FunctionName } from '../function_names.ts';
import { functionPurpose } from '../names.ts';
import { column, metricWidget, type Series, textWidget, type Widget } from './dashboard_widgets.ts';
import { executionMetric, functionMetric, ownMetric, ownMetrics } from './metrics.ts';
import { ROW_READERS } from './monitored.ts';

export interface DashboardContents {
  readonly stack: string;
  readonly region: string;
  /** The deployed functions' names. */
  readonly functions: Readonly<Partial<Record<FunctionName, string>>>;
  readonly workflows: readonly { readonly name: string; readonly arn: string }[];
  readonly alarmArns: readonly string[];
}

const HOUR = 3_600;
const QUARTER_HOUR = 900;

/** The dashboard's JSON (CloudWatch API Reference, "Dashboard Body Structure"): what a person wants to see, from the top. */
export function dashboardBody(contents: DashboardContents): {
  readonly widgets: readonly Widget[];
} {
  return {
    widgets: column([
      [
        textWidget(
          `# Receipt embeddings: ${contents.stack}\nWhat each alarm means: docs/operations.md`,
        ),
      ],
      [{ type: 'alarm', height: 4, properties: { title: 'Alarms', alarms: contents.alarmArns } }],
      workDone(contents),
      cost(contents),
      latency(contents),
      batches(contents),
      quality(contents),
    ]),
  };
}

function workDone({ functions, workflows, region }: DashboardContents): Widget[] {
  return [
    metricWidget(region, 'Receipts an hour', HOUR, [
      ...counted(functions, 'process_receipt_realtime', {
        ReceiptsEmbedded: 'embedded',
        ReceiptsReused: 'embedded before',
        ReceiptsSkipped: 'nothing to embed',
      }),
      ...counted(functions, 'summarize_execution', { ReceiptsFailed: 'failed' }, 'realtime'),
    ]),
    metricWidget(region, 'Vectors an hour', HOUR, [
      ...counted(functions, 'process_receipt_realtime', { VectorsWritten: 'ChromaDB deltas' }),
      ...counted(functions, 'upsert_to_pinecone', { VectorsWritten: 'Pinecone' }),
    ]),
    metricWidget(
      region,
      'Executions',
      HOUR,
      workflows.flatMap(({ name, arn }): Series[] => [
        { metric: executionMetric(arn, 'ExecutionsStarted'), label: `${name} started` },
        { metric: executionMetric(arn, 'ExecutionsSucceeded'), label: `${name} succeeded` },
        { metric: executionMetric(arn, 'ExecutionsFailed'), label: `${name} failed` },
      ]),
    ),
  ];
}

function cost({ functions, region }: DashboardContents): Widget[] {
  return [
    metricWidget(region, 'Tokens an hour', HOUR, [
      ...counted(functions, 'process_receipt_realtime', { PromptTokens: 'realtime' }),
      ...counted(functions, 'summarize_execution', { PromptTokens: 'batch' }, 'batch_poll'),
    ]),
    metricWidget(region, 'OpenAI, estimated dollars an hour', HOUR, [
      ...counted(functions, 'process_receipt_realtime', { EstimatedCostUsd: 'realtime' }),
      ...counted(functions, 'summarize_execution', { EstimatedCostUsd: 'batch' }, 'batch_poll'),
    ]),
    metricWidget(
      region,
      'Failures by reason',
      HOUR,
      present(functions, ['summarize_execution']).map((functionName) => ({
        search: ownMetrics(functionName, 'Failures', 'reason', 'Sum', HOUR, 'workflow,'),
      })),
    ),
  ];
}

function latency({ functions, region }: DashboardContents): Widget[] {
  const durations = (statistic: 'p50' | 'p95'): Series[] =>
    FUNCTION_NAMES.flatMap((name): Series[] => {
      const functionName = functions[name];
      if (functionName === undefined) return [];
      const metric = functionMetric(functionName, 'Duration', statistic);
      return [{ metric, label: functionPurpose(name) }];
    });
  return [
    metricWidget(region, 'Latency by step, median (ms)', QUARTER_HOUR, durations('p50')),
    metricWidget(region, 'Latency by step, 95th percentile (ms)', QUARTER_HOUR, durations('p95')),
  ];
}

function batches({ functions, region }: DashboardContents): Widget[] {
  const { list_pending_batches: lists } = functions;
  if (lists === undefined) return [];
  return [
    metricWidget(region, 'Pending batches by state', QUARTER_HOUR, [
      { search: ownMetrics(lists, 'PendingBatches', 'status', 'Maximum', QUARTER_HOUR) },
    ]),
    metricWidget(region, 'Age of the oldest pending batch (s)', QUARTER_HOUR, [
      { metric: ownMetric(lists, 'OldestPendingBatchAge', 'Maximum'), label: 'age' },
    ]),
    metricWidget(region, 'Batches, and their lines and words, an hour', HOUR, [
      ...counted(functions, 'submit_batch', { BatchesSubmitted: 'submitted' }),
      ...(['mark_batch_complete', 'release_batch'] as const).flatMap((name) =>
        counted(functions, name, {
          BatchesEnded: `ended (${functionPurpose(name)})`,
          BatchRowsReleased: `rows given back (${functionPurpose(name)})`,
        }),
      ),
      ...counted(functions, 'mark_batch_complete', { BatchRowsFailed: 'rows failed' }),
      ...counted(
        functions,
        'summarize_execution',
        { BatchesFailed: 'failed to be submitted' },
        'batch_submit',
      ),
      ...counted(
        functions,
        'summarize_execution',
        { BatchesFailed: 'failed to be ended' },
        'batch_poll',
      ),
    ]),
  ];
}

function quality({ functions, region }: DashboardContents): Widget[] {
  return [
    metricWidget(
      region,
      'Rows that could not be read, an hour',
      HOUR,
      ROW_READERS.flatMap((name) =>
        counted(functions, name, { InvalidRows: functionPurpose(name) }),
      ),
    ),
    metricWidget(
      region,
      'Merchant lookups that failed, an hour',
      HOUR,
      counted(functions, 'process_receipt_realtime', { MerchantLookupsFailed: 'failed' }),
    ),
  ];
}

/** What a function counts, each with its label; nothing for a function that the stack does not have. */
function counted(
  functions: DashboardContents['functions'],
  name: FunctionName,
  labels: Readonly<Partial<Record<MetricName, string>>>,
  workflow?: string,
): Series[] {
  const functionName = functions[name];
  if (functionName === undefined) return [];
  return Object.entries(labels).map(([metric, label]) => ({
    metric: ownMetric(
      functionName,
      metric as MetricName,
      'Sum',
      workflow === undefined ? {} : { workflow },
    ),
    label,
  }));
}

function present(
  functions: DashboardContents['functions'],
  names: readonly FunctionName[],
): string[] {
  return names.flatMap((name) => functions[name] ?? []);
}
