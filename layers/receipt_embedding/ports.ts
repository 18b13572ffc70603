/** What the layer wants from whoever runs it. */
export type { Clock } from './ports/clock.ts';
export type { Logger } from './ports/logger.ts';
export type { DimensionOf, MetricName, Metrics } from './ports/metrics.ts';
