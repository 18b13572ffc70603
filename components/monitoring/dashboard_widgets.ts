import type { Metric } from './metrics.ts';

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
