import { Metrics as PowertoolsMetrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { DimensionOf, MetricName, Metrics } from 'receipt-embedding/ports';

/** One namespace for all functions of all stacks. */
const NAMESPACE = 'ReceiptEmbeddings';

/** Whatever is no plain number of things. */
const UNITS: Partial<Record<MetricName, (typeof MetricUnit)[keyof typeof MetricUnit]>> = {
  // CloudWatch knows no money.
  EstimatedCostUsd: MetricUnit.NoUnit,
  OldestPendingBatchAge: MetricUnit.Seconds,
};

const DIMENSIONS: { readonly [Name in keyof DimensionOf]: DimensionOf[Name] } = {
  Failures: 'reason',
  PendingBatches: 'status',
};

export interface PublishedMetrics extends Metrics {
  /** Sends what was counted since the last time. */
  readonly publish: () => void;
}

/**
 * Metrics that go into the function's log, from where CloudWatch takes them (Embedded Metric Format).
 *
 * @param service the one dimension of all of them: the deployed function, which has the stack's name in its own.
 */
export function createMetrics(service: string): PublishedMetrics {
  const metrics = new PowertoolsMetrics({ namespace: NAMESPACE, serviceName: service });
  return {
    count: (name, value) => {
      metrics.addMetric(name, UNITS[name] ?? MetricUnit.Count, value);
    },
    countEach: (name, values) => {
      for (const [value, number] of Object.entries(values)) {
        const single = metrics.singleMetric();
        single.addDimension(DIMENSIONS[name], value);
        single.addMetric(name, MetricUnit.Count, number);
      }
    },
    publish: () => {
      // Of nothing to publish it would warn in every log.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}
