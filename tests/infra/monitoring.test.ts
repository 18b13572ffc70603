import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { stackFunctions } from '../../components/stack_functions.ts';
import { ALARM_KINDS } from '../../components/monitoring/alarms.ts';
import {
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: that AWS accepts these alarms and this dashboard; that what they watch is counted, tests/end_to_end/monitoring.test.ts proves.

const ALARM = 'aws:cloudwatch/metricAlarm:MetricAlarm';
const FUNCTIONS = stackFunctions({
  vector_stores: ['s3_vectors', 'pinecone'],
  embed_on_arrival: true,
}).length;
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:receipt-embedding-alerts-dev';

interface Query {
  readonly id: string;
  readonly returnData: boolean;
  readonly expression?: string;
  readonly metric?: {
    readonly namespace: string;
    readonly metricName: string;
    readonly dimensions: Readonly<Record<string, string>>;
    readonly stat: string;
    readonly period: number;
  };
}

let deployed: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram({
    ...WITH_PINECONE,
    config: { ...WITH_PINECONE.config, embed_on_arrival: 'true' },
  });
});

/** An alarm in one line for what it watches, and one for when it rings. */
function alarm(name: string): { readonly watches: readonly string[]; readonly rings: string } {
  const inputs = resource(deployed, ALARM, name);
  const queries = inputs['metricQueries'] as readonly Query[];
  return {
    watches: queries.map(({ id, metric, expression, returnData }) => {
      const what =
        metric === undefined
          ? (expression ?? '')
          : `${metric.stat} of ${metric.namespace} ${metric.metricName} ${JSON.stringify(metric.dimensions)} in ${metric.period} s`;
      return `${id}${returnData ? '!' : ''}: ${what}`;
    }),
    rings: `${String(inputs['comparisonOperator'])} ${String(inputs['threshold'])}, ${String(inputs['evaluationPeriods'])} time`,
  };
}

describe('the alarms', () => {
  it('of a workflow: failed, timed out, throttled', () => {
    const arn = 'arn:aws:states:us-east-1:123456789012:stateMachine:batch-poll-embedding-sf-dev';
    const metrics = {
      failed: 'ExecutionsFailed',
      'timed-out': 'ExecutionsTimedOut',
      throttled: 'ExecutionThrottled',
    };
    for (const [what, metric] of Object.entries(metrics)) {
      expect(alarm(`executions-${what}-batch-poll-embedding`)).toStrictEqual({
        watches: [`m0!: Sum of AWS/States ${metric} {"StateMachineArn":"${arn}"} in 300 s`],
        rings: 'GreaterThanOrEqualToThreshold 1, 1 time',
      });
    }
  });

  it('of a function: a tenth of its invocations failed, it was throttled, it nears its timeout', () => {
    const dimension = '{"FunctionName":"embedding-submit-batch-lambda-dev"}';
    expect(alarm('function-errors-submit-batch')).toStrictEqual({
      watches: [
        `m0: Sum of AWS/Lambda Errors ${dimension} in 300 s`,
        `m1: Sum of AWS/Lambda Invocations ${dimension} in 300 s`,
        'value!: 100 * m0 / MAX([m0, m1])',
      ],
      rings: 'GreaterThanOrEqualToThreshold 10, 1 time',
    });
    expect(alarm('function-throttles-submit-batch')).toStrictEqual({
      watches: [`m0!: Sum of AWS/Lambda Throttles ${dimension} in 300 s`],
      rings: 'GreaterThanOrEqualToThreshold 10, 1 time',
    });
    expect(alarm('function-duration-submit-batch')).toStrictEqual({
      watches: [`m0!: Maximum of AWS/Lambda Duration ${dimension} in 300 s`],
      rings: 'GreaterThanOrEqualToThreshold 720000, 1 time',
    });
  });

  it('of the pipeline add up what several functions count', () => {
    const own = (name: string, metric: string, workflow?: string): string =>
      `Sum of ReceiptEmbeddings ${metric} ${JSON.stringify({ service: `embedding-${name}-lambda-dev`, workflow })} in 300 s`;
    expect(alarm('receipts-failed').watches).toStrictEqual([
      `m0!: ${own('summarize-execution', 'ReceiptsFailed', 'realtime')}`,
    ]);
    expect(alarm('invalid-rows').watches).toStrictEqual([
      `m0: ${own('find-receipts-realtime', 'InvalidRows')}`,
      `m1: ${own('process-receipt-realtime', 'InvalidRows')}`,
      `m2: ${own('plan-batches', 'InvalidRows')}`,
      `m3: ${own('list-pending-batches', 'InvalidRows')}`,
      `m4: ${own('note-arrivals', 'InvalidRows')}`,
      'value!: FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0) + FILL(m4, 0)',
    ]);
    expect(alarm('batches-failed').watches).toStrictEqual([
      `m0: ${own('summarize-execution', 'BatchesFailed', 'batch_submit')}`,
      `m1: ${own('summarize-execution', 'BatchesFailed', 'batch_poll')}`,
      'value!: FILL(m0, 0) + FILL(m1, 0)',
    ]);
  });

  it('of the oldest batch rings after 26 hours: two more than OpenAI takes at most', () => {
    expect(alarm('oldest-pending-batch')).toStrictEqual({
      watches: [
        'm0!: Maximum of ReceiptEmbeddings OldestPendingBatchAge {"service":"embedding-list-pending-batches-lambda-dev"} in 3600 s',
      ],
      rings: 'GreaterThanOrEqualToThreshold 93600, 1 time',
    });
  });

  it('of arrivals ring a quarter of an hour late, beyond the longest quiet time, and for each that failed', () => {
    expect(alarm('arrivals-late-stream')).toStrictEqual({
      watches: [
        'm0!: Maximum of AWS/Lambda IteratorAge {"FunctionName":"embedding-note-arrivals-lambda-dev"} in 300 s',
      ],
      rings: 'GreaterThanOrEqualToThreshold 900000, 1 time',
    });
    expect(alarm('arrivals-late-queue')).toStrictEqual({
      watches: [
        'm0!: Maximum of AWS/SQS ApproximateAgeOfOldestMessage {"QueueName":"receipt-arrivals-dev"} in 300 s',
      ],
      rings: 'GreaterThanOrEqualToThreshold 1800, 1 time',
    });
    expect(alarm('arrivals-failed')).toStrictEqual({
      watches: [
        'm0!: Maximum of AWS/SQS ApproximateNumberOfMessagesVisible {"QueueName":"receipt-failed-arrivals-dev"} in 300 s',
      ],
      rings: 'GreaterThanOrEqualToThreshold 1, 1 time',
    });
  });

  it('tell the topic when they begin and end, say what to do, and stay quiet where nothing is counted', async () => {
    const operations = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const kinds = new Set<string>();
    const alarms = Object.entries(resourcesOf(deployed, ALARM));
    expect(alarms).toHaveLength(FUNCTIONS * 3 + 3 * 3 + 7 + 3);
    for (const [name, inputs] of alarms) {
      expect(inputs).toMatchObject({
        name: `receipt-embedding-${name}-dev`,
        alarmActions: [TOPIC],
        okActions: [TOPIC],
        treatMissingData: 'notBreaching',
      });
      const [, kind = ''] =
        / What to do: docs\/operations\.md, "([^"]+)"\.$/.exec(
          String(inputs['alarmDescription']),
        ) ?? [];
      expect(operations).toContain(`\n### ${kind}\n`);
      kinds.add(kind);
    }
    expect([...kinds].sort()).toStrictEqual([...ALARM_KINDS].sort());
  });
});

describe('the topic', () => {
  it('lets this account’s alarms publish, and nobody without TLS', () => {
    const { policy } = resource(deployed, 'aws:sns/topicPolicy:TopicPolicy', 'alerts-policy');
    expect(JSON.parse(String(policy))).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: ['sns:Publish'],
          Resource: [TOPIC],
          Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
        },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: ['sns:Publish'],
          Resource: [TOPIC],
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    });
  });

  it('has an e-mail’s subscription where one is set, and none otherwise', async () => {
    const type = 'aws:sns/topicSubscription:TopicSubscription';
    expect(Object.keys(resourcesOf(deployed, type))).toStrictEqual([]);
    const other = await runProgram({ config: { alert_email: 'ops@example.org' } });
    expect(resource(other, type, 'alerts-email')).toStrictEqual({
      topic: TOPIC,
      protocol: 'email',
      endpoint: 'ops@example.org',
    });
  });
});

describe('the dashboard', () => {
  interface Widget {
    readonly type: string;
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly properties: { readonly title?: string; readonly alarms?: readonly string[] };
  }

  function widgets(of: RecordedDeployment): readonly Widget[] {
    const { dashboardBody } = resource(of, 'aws:cloudwatch/dashboard:Dashboard', 'dashboard');
    return (JSON.parse(String(dashboardBody)) as { widgets: readonly Widget[] }).widgets;
  }

  it('shows from the top: alarms, work, arrivals, cost, failures, latency, batches, quality', () => {
    expect(widgets(deployed).map(({ properties }) => properties.title)).toStrictEqual([
      undefined,
      'Alarms',
      'Receipts an hour',
      'Vectors an hour',
      'Questions an hour',
      'Executions',
      'Receipts that arrived or changed, an hour',
      'Arrivals: how late they are read (ms)',
      'Arrivals: messages that failed',
      'Tokens an hour',
      'OpenAI, estimated dollars an hour',
      'Failures by reason',
      'Latency by step, median (ms)',
      'Latency by step, 95th percentile (ms)',
      'Pending batches by state',
      'Age of the oldest pending batch (s)',
      'Batches, and their lines and words, an hour',
      'Rows that could not be read, an hour',
      'Attributes ignored for their form, an hour',
      'Merchant lookups that failed, an hour',
    ]);
  });

  it('shows every alarm’s state', () => {
    const arns = widgets(deployed).flatMap(({ properties }) => properties.alarms ?? []);
    expect(arns).toHaveLength(Object.keys(resourcesOf(deployed, ALARM)).length);
    expect(new Set(arns).size).toBe(arns.length);
  });

  it('fills its 24 columns, and no widget lies over another', () => {
    const placed = widgets(deployed);
    const cells = placed.flatMap(({ x, y, width, height }) =>
      Array.from(
        { length: width * height },
        (_, at) => `${x + (at % width)},${y + Math.floor(at / width)}`,
      ),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(placed.every(({ x, width }) => x >= 0 && x + width <= 24)).toBe(true);
  });

  it('shows the vectors of the log and of each store, and how often search is asked', () => {
    const series = (title: string): string[] => {
      const widget = widgets(deployed).find(({ properties }) => properties.title === title);
      const { metrics } = widget?.properties as { readonly metrics: readonly unknown[][] };
      return metrics.map((metric) => {
        const [, name, , of] = metric;
        return `${(metric.at(-1) as { readonly label: string }).label}: ${String(name)} of ${String(of)}`;
      });
    };
    expect(series('Vectors an hour')).toStrictEqual([
      'the log, realtime: VectorsWritten of embedding-process-receipt-realtime-lambda-dev',
      'removed from the stores: VectorsRemoved of embedding-process-receipt-realtime-lambda-dev',
      'the log, batch: VectorsWritten of embedding-log-batch-results-lambda-dev',
      's3_vectors, batch: VectorsWritten of embedding-upsert-to-s3-vectors-lambda-dev',
      'pinecone, batch: VectorsWritten of embedding-upsert-to-pinecone-lambda-dev',
    ]);
    expect(series('Questions an hour')).toStrictEqual([
      'asked: Invocations of embedding-search-receipts-lambda-dev',
      'failed: Errors of embedding-search-receipts-lambda-dev',
    ]);
  });

  it('has no empty widget, whatever stores a stack has', async () => {
    const bodies = [deployed, await runProgram()].flatMap((of) =>
      widgets(of).filter(({ type }) => type === 'metric'),
    );
    expect(
      bodies.filter(({ properties }) => {
        const { metrics } = properties as { readonly metrics?: readonly unknown[] };
        return metrics === undefined || metrics.length === 0;
      }),
    ).toStrictEqual([]);
  });
});

describe('the ready queries', () => {
  it('ask all functions’ logs: failures, a receipt, an execution, a batch', () => {
    const queries = Object.values(
      resourcesOf(deployed, 'aws:cloudwatch/queryDefinition:QueryDefinition'),
    );
    expect(queries.map(({ name }) => name).sort()).toStrictEqual(
      ['batch', 'execution', 'failures', 'receipt'].map((name) => `receipt-embedding/dev/${name}`),
    );
    for (const { logGroupNames } of queries) {
      const groups = logGroupNames as readonly string[];
      expect(groups).toHaveLength(FUNCTIONS);
      expect(groups.every((group) => /^\/aws\/lambda\/embedding-.*-lambda-dev$/.test(group))).toBe(
        true,
      );
    }
  });
});
