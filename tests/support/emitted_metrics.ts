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
