import type { RegisteredResource } from 'embedded-aws/deployment/pulumi_program';

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string }[];
}

/** `namespace name dimension=value`, one for each metric that log lines carry; other dimensions than `service` by name. */
export function emittedMetrics(logs: readonly string[]): string[] {
  const found = new Set<string>();
  for (const line of logs) {
    if (!line.includes('"_aws"')) continue;
    const { _aws, ...values } = JSON.parse(line) as {
      _aws: { CloudWatchMetrics: readonly Directive[] };
    } & Record<string, unknown>;
    for (const { Namespace, Dimensions, Metrics } of _aws.CloudWatchMetrics) {
      for (const [dimensions, { Name }] of Dimensions.flatMap((each) =>
        Metrics.map((metric) => [each, metric] as const),
      )) {
        const more = dimensions.filter((each) => each !== 'service');
        found.add([Namespace, Name, `service=${String(values['service'])}`, ...more].join(' '));
      }
    }
  }
  return [...found].sort();
}

/** What one function has sent of a metric, added up. */
export function emittedTotal(logs: readonly string[], name: string, service: string): number {
  return logs
    .filter((line) => line.includes('"_aws"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['service'] === service)
    .flatMap((line) => (line[name] ?? []) as number | number[])
    .reduce((total, value) => total + value, 0);
}

interface MetricQuery {
  readonly metric?: {
    readonly namespace: string;
    readonly metricName: string;
    readonly dimensions: Readonly<Record<string, string>>;
  };
}

interface DashboardBody {
  readonly widgets: readonly {
    readonly properties: { readonly metrics?: readonly (readonly unknown[])[] };
  }[];
}

const OWN = 'ReceiptEmbeddings';
const SEARCH =
  /^SEARCH\('\{(?<namespace>\w+),service,(?<dimensions>\w+(?:,\w+)*)\} MetricName="(?<name>\w+)" service="(?<service>[\w-]+)"', '(Sum|Maximum)', \d+\)$/;

/** What the stack's alarms and dashboard read of the functions' own metrics, in the form of `emittedMetrics`. */
export function watchedMetrics(resources: readonly RegisteredResource[]): string[] {
  return [...new Set([...byAlarms(resources), ...byDashboards(resources)])].sort();
}

/** @throws for a metric of AWS's own that it does not send of the stack's functions and state machines. */
function byAlarms(resources: readonly RegisteredResource[]): string[] {
  return resources
    .filter(({ type }) => type === 'aws:cloudwatch/metricAlarm:MetricAlarm')
    .flatMap(({ inputs }) => inputs['metricQueries'] as readonly MetricQuery[])
    .flatMap(({ metric }) =>
      metric === undefined
        ? []
        : ownMetric(metric.namespace, metric.metricName, metric.dimensions, resources),
    );
}

function byDashboards(resources: readonly RegisteredResource[]): string[] {
  return resources
    .filter(({ type }) => type === 'aws:cloudwatch/dashboard:Dashboard')
    .map(({ inputs }) => JSON.parse(inputs['dashboardBody'] as string) as DashboardBody)
    .flatMap(({ widgets }) => widgets.flatMap(({ properties }) => properties.metrics ?? []))
    .flatMap((entry) => {
      const [first] = entry;
      if (typeof first === 'object') {
        const { expression } = first as { readonly expression: string };
        const { namespace, name, service, dimensions } = SEARCH.exec(expression)?.groups ?? {};
        if (namespace === undefined) throw new Error(`the dashboard searches for ${expression}`);
        return [
          `${namespace} ${name ?? ''} service=${service ?? ''} ${dimensions?.replaceAll(',', ' ') ?? ''}`,
        ];
      }
      const [namespace, name, ...dimensions] = entry.slice(0, -1) as string[];
      const pairs = dimensions.flatMap((each, at) =>
        at % 2 === 0 ? [[each, dimensions[at + 1] ?? ''] as const] : [],
      );
      return ownMetric(namespace ?? '', name ?? '', Object.fromEntries(pairs), resources);
    });
}

/** What AWS sends by itself, by the dimension that names the resource, and how that resource is known here. */
const OF_AWS: Readonly<Record<string, readonly [string, string, readonly string[]]>> = {
  'AWS/Lambda': ['FunctionName', 'name', ['Invocations', 'Errors', 'Throttles', 'Duration']],
  'AWS/States': [
    'StateMachineArn',
    'arn',
    [
      'ExecutionsStarted',
      'ExecutionsSucceeded',
      'ExecutionsFailed',
      'ExecutionsTimedOut',
      'ExecutionThrottled',
    ],
  ],
};

function ownMetric(
  namespace: string,
  name: string,
  dimensions: Readonly<Record<string, string>>,
  resources: readonly RegisteredResource[],
): string[] {
  if (namespace === OWN) {
    const { service = '', ...more } = dimensions;
    return [[OWN, name, `service=${service}`, ...Object.keys(more)].join(' ')];
  }
  const [dimension = '', key = '', names = []] = OF_AWS[namespace] ?? [];
  const known = resources.some(({ state }) => state[key] === dimensions[dimension]);
  if (known && names.includes(name)) return [];
  throw new Error(`AWS sends no ${namespace} ${name} of ${JSON.stringify(dimensions)}`);
}
