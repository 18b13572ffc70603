import type { MetricName } from 'receipt-embedding/ports';
import { declaration as listPendingBatches } from '../../simple_lambdas/list_pending_batches/declaration.ts';
import { declaration as logBatchResults } from '../../simple_lambdas/log_batch_results/declaration.ts';
import { declaration as markBatchComplete } from '../../simple_lambdas/mark_batch_complete/declaration.ts';
import { declaration as noteArrivals } from '../../simple_lambdas/note_arrivals/declaration.ts';
import { declaration as planBatches } from '../../simple_lambdas/plan_batches/declaration.ts';
import { declaration as processReceipt } from '../../simple_lambdas/process_receipt_realtime/declaration.ts';
import { declaration as releaseBatch } from '../../simple_lambdas/release_batch/declaration.ts';
import { declaration as searchReceipts } from '../../simple_lambdas/search_receipts/declaration.ts';
import { declaration as startArrivals } from '../../simple_lambdas/start_arrivals/declaration.ts';
import { declaration as submitBatch } from '../../simple_lambdas/submit_batch/declaration.ts';
import { declaration as summarizeExecution } from '../../simple_lambdas/summarize_execution/declaration.ts';
import { type DeclaredFunction, STORE_NAMES } from '../../simple_lambdas/runtime/declaration.ts';
import { upsertTo } from '../../simple_lambdas/upsert_to_store/declaration.ts';
import { functionPurpose } from '../names.ts';
import {
  executionMetric,
  functionMetric,
  type Metric,
  type MonitoredFunctions,
  ownMetric,
  ownMetrics,
  queueMetric,
  ROW_READERS,
} from './metrics.ts';

interface DashboardContents {
  readonly stack: string;
  readonly region: string;
  readonly functions: MonitoredFunctions;
  readonly workflows: readonly { readonly name: string; readonly arn: string }[];
  /** Undefined in a stack that embeds nothing by itself on arrival. */
  readonly queues: { readonly waiting: string; readonly failed: string } | undefined;
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
      arrivals(contents),
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
      ...counted(functions, processReceipt, {
        ReceiptsEmbedded: 'embedded',
        ReceiptsReused: 'embedded before',
        ReceiptsSkipped: 'nothing to embed',
      }),
      ...counted(
        functions,
        summarizeExecution,
        { ReceiptsFailed: 'failed' },
        { workflow: 'realtime' },
      ),
    ]),
    metricWidget(region, 'Vectors an hour', HOUR, [
      ...counted(functions, processReceipt, {
        VectorsWritten: 'the log, realtime',
        VectorsRemoved: 'removed from the stores',
      }),
      ...counted(functions, logBatchResults, { VectorsWritten: 'the log, batch' }),
      ...STORE_NAMES.flatMap((store) =>
        counted(functions, upsertTo(store), { VectorsWritten: `${store}, batch` }),
      ),
    ]),
    metricWidget(region, 'Questions an hour', HOUR, asked(functions)),
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

function asked(functions: MonitoredFunctions): Series[] {
  const name = functions.get(searchReceipts.name)?.functionName;
  return name === undefined
    ? []
    : [
        { metric: functionMetric(name, 'Invocations'), label: 'asked' },
        { metric: functionMetric(name, 'Errors'), label: 'failed' },
      ];
}

function arrivals({ functions, queues, region }: DashboardContents): Widget[] {
  const reader = functions.get(noteArrivals.name)?.functionName;
  if (queues === undefined || reader === undefined) return [];
  return [
    metricWidget(region, 'Receipts that arrived or changed, an hour', HOUR, [
      ...counted(functions, startArrivals, { ReceiptsArrived: 'executions started for' }),
      { metric: functionMetric(reader, 'Invocations'), label: 'invocations by the stream' },
    ]),
    metricWidget(region, 'Arrivals: how late they are read (ms)', QUARTER_HOUR, [
      { metric: functionMetric(reader, 'IteratorAge', 'Maximum'), label: 'the stream' },
    ]),
    metricWidget(region, 'Arrivals: messages that failed', QUARTER_HOUR, [
      {
        metric: queueMetric(queues.failed, 'ApproximateNumberOfMessagesVisible'),
        label: 'put aside',
      },
    ]),
  ];
}

function cost({ functions, region }: DashboardContents): Widget[] {
  return [
    metricWidget(region, 'Tokens an hour', HOUR, [
      ...counted(functions, processReceipt, { PromptTokens: 'realtime' }),
      ...counted(
        functions,
        summarizeExecution,
        { PromptTokens: 'batch' },
        { workflow: 'batch_poll' },
      ),
    ]),
    metricWidget(region, 'OpenAI, estimated dollars an hour', HOUR, [
      ...counted(functions, processReceipt, { EstimatedCostUsd: 'realtime' }),
      ...counted(
        functions,
        summarizeExecution,
        { EstimatedCostUsd: 'batch' },
        { workflow: 'batch_poll' },
      ),
    ]),
    metricWidget(
      region,
      'Failures by reason',
      HOUR,
      searched(functions, summarizeExecution, 'Failures', ['workflow', 'reason'], 'Sum', HOUR),
    ),
  ];
}

function latency({ functions, region }: DashboardContents): Widget[] {
  const durations = (statistic: 'p50' | 'p95'): Series[] =>
    [...functions.values()].map(({ declaration, functionName }) => ({
      metric: functionMetric(functionName, 'Duration', statistic),
      label: functionPurpose(declaration),
    }));
  return [
    metricWidget(region, 'Latency by step, median (ms)', QUARTER_HOUR, durations('p50')),
    metricWidget(region, 'Latency by step, 95th percentile (ms)', QUARTER_HOUR, durations('p95')),
  ];
}

function batches({ functions, region }: DashboardContents): Widget[] {
  return [
    metricWidget(
      region,
      'Pending batches by state',
      QUARTER_HOUR,
      searched(
        functions,
        listPendingBatches,
        'PendingBatches',
        ['status'],
        'Maximum',
        QUARTER_HOUR,
      ),
    ),
    metricWidget(
      region,
      'Age of the oldest pending batch (s)',
      QUARTER_HOUR,
      counted(
        functions,
        listPendingBatches,
        { OldestPendingBatchAge: 'age' },
        { statistic: 'Maximum' },
      ),
    ),
    metricWidget(region, 'Batches, and their lines and words, an hour', HOUR, [
      ...counted(functions, submitBatch, { BatchesSubmitted: 'submitted' }),
      ...[markBatchComplete, releaseBatch].flatMap((ending) =>
        counted(functions, ending, {
          BatchesEnded: `ended (${functionPurpose(ending)})`,
          BatchRowsReleased: `rows released (${functionPurpose(ending)})`,
        }),
      ),
      ...counted(functions, markBatchComplete, { BatchRowsFailed: 'rows failed' }),
      ...counted(
        functions,
        summarizeExecution,
        { BatchesFailed: 'failed to be submitted' },
        { workflow: 'batch_submit' },
      ),
      ...counted(
        functions,
        summarizeExecution,
        { BatchesFailed: 'failed to be ended' },
        { workflow: 'batch_poll' },
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
      ROW_READERS.flatMap((reader) =>
        counted(functions, reader, { InvalidRows: functionPurpose(reader) }),
      ),
    ),
    metricWidget(
      region,
      'Attributes ignored for their form, an hour',
      HOUR,
      [processReceipt, planBatches].flatMap((reader) =>
        counted(functions, reader, { IgnoredAttributes: functionPurpose(reader) }),
      ),
    ),
    metricWidget(
      region,
      'Merchant lookups that failed, an hour',
      HOUR,
      counted(functions, processReceipt, { MerchantLookupsFailed: 'failed' }),
    ),
  ];
}

/** What a function counts, each with its label; nothing for a function that the stack does not have. */
function counted(
  functions: MonitoredFunctions,
  declaration: DeclaredFunction,
  labels: Readonly<Partial<Record<MetricName, string>>>,
  of?: Parameters<typeof ownMetric>[3],
): Series[] {
  return Object.entries(labels).flatMap(([name, label]) => {
    const metric = ownMetric(functions, declaration, name as MetricName, of);
    return metric === undefined ? [] : [{ metric, label }];
  });
}

/** The same for a metric that is told apart by more dimensions. */
function searched(...metric: Parameters<typeof ownMetrics>): Series[] {
  const search = ownMetrics(...metric);
  return search === undefined ? [] : [{ search }];
}

/** What a widget draws: one metric, or all that a search finds. */
type Series = { readonly metric: Metric; readonly label: string } | { readonly search: string };

interface Widget {
  readonly type: 'metric' | 'alarm' | 'text';
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** CloudWatch's dashboards have so many columns. */
const COLUMNS = 24;

function textWidget(markdown: string): Widget {
  return { type: 'text', height: 2, properties: { markdown } };
}

/** Lines over time. */
function metricWidget(
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
function column(rows: readonly (readonly Widget[])[]): Widget[] {
  const placed: Widget[] = [];
  let y = 0;
  for (const row of rows.filter(({ length }) => length > 0)) {
    const width = Math.floor(COLUMNS / row.length);
    placed.push(...row.map((widget, at) => ({ ...widget, x: at * width, y, width })));
    y += Math.max(...row.map(({ height }) => height));
  }
  return placed;
}
