import * as pulumi from '@pulumi/pulumi';
import type { MetricName } from 'receipt-embedding/ports';
import { FUNCTION_NAMES, type FunctionName } from '../function_names.ts';
import { functionPurpose } from '../names.ts';
import {
  executionMetric,
  functionMetric,
  type Metric,
  ownMetric,
  ownMetrics,
  ROW_READERS,
} from './metrics.ts';

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
      ...counted(functions, 'summarize_realtime_run', { ReceiptsFailed: 'failed' }),
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
      ...counted(functions, 'summarize_batch_poll', { PromptTokens: 'batch' }),
    ]),
    metricWidget(region, 'OpenAI, estimated dollars an hour', HOUR, [
      ...counted(functions, 'process_receipt_realtime', { EstimatedCostUsd: 'realtime' }),
      ...counted(functions, 'summarize_batch_poll', { EstimatedCostUsd: 'batch' }),
    ]),
    metricWidget(
      region,
      'Failures by reason',
      HOUR,
      present(functions, [
        'summarize_realtime_run',
        'summarize_batch_submit',
        'summarize_batch_poll',
      ]).map((functionName) => ({
        search: ownMetrics(functionName, 'Failures', 'reason', 'Sum', HOUR),
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
      ...counted(functions, 'summarize_batch_submit', { BatchesFailed: 'failed to be submitted' }),
      ...counted(functions, 'summarize_batch_poll', { BatchesFailed: 'failed to be ended' }),
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
): Series[] {
  const functionName = functions[name];
  if (functionName === undefined) return [];
  return Object.entries(labels).map(([metric, label]) => ({
    metric: ownMetric(functionName, metric as MetricName),
    label,
  }));
}

function present(
  functions: DashboardContents['functions'],
  names: readonly FunctionName[],
): string[] {
  return names.flatMap((name) => functions[name] ?? []);
}

/** What a widget draws: one metric, or all that a search finds. */
export type Series =
  { readonly metric: Metric; readonly label: string } | { readonly search: string };

export interface Widget {
  readonly type: 'metric' | 'alarm' | 'text';
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** CloudWatch's dashboards have so many columns. */
const COLUMNS = 24;

export function textWidget(markdown: string): Widget {
  return { type: 'text', height: 2, properties: { markdown } };
}

/** Lines over time. */
export function metricWidget(
  region: string,
  title: string,
  periodSeconds: number,
  series: readonly Series[],
): Widget {
  return {
    type: 'metric',
    height: 6,
    properties: {
      title,
      region,
      view: 'timeSeries',
      period: periodSeconds,
      metrics: series.map(seriesEntry),
    },
  };
}

function seriesEntry(series: Series, at: number): unknown[] {
  if ('search' in series) return [{ expression: series.search, id: `e${at}` }];
  const { namespace, name, dimensions, statistic } = series.metric;
  return [
    namespace,
    name,
    ...Object.entries(dimensions).flat(),
    { stat: statistic, label: series.label },
  ];
}

/** Rows below one another, each as wide as the dashboard; rows without a widget are left out. */
export function column(rows: readonly (readonly Widget[])[]): Widget[] {
  const placed: Widget[] = [];
  let y = 0;
  for (const row of rows.filter(({ length }) => length > 0)) {
    const width = Math.floor(COLUMNS / row.length);
    placed.push(...row.map((widget, at) => ({ ...widget, x: at * width, y, width })));
    y += Math.max(...row.map(({ height }) => height));
  }
  return placed;
}

export interface DashboardLocation {
  readonly partition: pulumi.Input<string>;
  readonly region: pulumi.Input<string>;
  readonly dashboardName: pulumi.Input<string>;
}

/** Where a person finds the dashboard. */
export function dashboardUrl(location: DashboardLocation): pulumi.Output<string> {
  return pulumi.output(location).apply(({ partition, region, dashboardName }) => {
    const console = consoleHost(partition) ?? 'console.aws.amazon.com';
    return `https://${region}.${console}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`;
  });
}

/** AWS's console has another address in each partition. */
const CONSOLES: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** The host of a partition's console, without the region before it; undefined where there is none that we know of. */
export function consoleHost(partition: string): string | undefined {
  return CONSOLES[partition];
}
