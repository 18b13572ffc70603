import type { DimensionOf, Logger, MetricName, Metrics } from 'receipt-embedding/ports';

export interface LogEntry {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** A logger that keeps what it is told. */
export class RecordingLogger implements Logger {
  readonly entries: LogEntry[] = [];

  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.entries.push({ level: 'info', message, fields });
  }

  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.entries.push({ level: 'warn', message, fields });
  }

  /** The keys of the rows that warnings name. */
  get keys(): unknown[] {
    return this.entries.flatMap(({ fields }) => fields?.['key'] ?? []);
  }
}

/** Metrics that add up. */
export class RecordingMetrics implements Metrics {
  readonly totals: Partial<Record<MetricName, number>> = {};
  /** By name and value of the dimension. */
  readonly each: Record<string, number> = {};

  count(name: MetricName, value: number): void {
    this.totals[name] = (this.totals[name] ?? 0) + value;
  }

  countEach(name: keyof DimensionOf, values: Readonly<Record<string, number>>): void {
    for (const [value, count] of Object.entries(values)) {
      const key = `${name} ${value}`;
      this.each[key] = (this.each[key] ?? 0) + count;
    }
  }
}
