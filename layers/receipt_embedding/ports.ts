/** The time now. */
export type Clock = () => Date;

/** Structured logs: a constant message, and fields. Never a secret, a receipt's text or a vector. */
export interface Logger {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What the handlers count and measure. Few names, and values of dimensions that are few by nature: each pair costs money. */
export type MetricName =
  /** Those that executions were started for because they had changed. */
  | 'ReceiptsArrived'
  | 'ReceiptsEmbedded'
  | 'ReceiptsReused'
  | 'ReceiptsSkipped'
  | 'ReceiptsFailed'
  | 'VectorsRemoved'
  | 'VectorsWritten'
  | 'PromptTokens'
  /** US dollars, at OpenAI's list price. */
  | 'EstimatedCostUsd'
  | 'InvalidRows'
  /** Attributes of rows that could be read without them. */
  | 'IgnoredAttributes'
  | 'MerchantLookupsFailed'
  | 'BatchesSubmitted'
  | 'BatchesEnded'
  | 'BatchesFailed'
  /** Those that no poll tries any more. */
  | 'ParkedBatches'
  | 'BatchRowsFailed'
  | 'BatchRowsReleased'
  /** Seconds; 0 when no batch is pending. */
  | 'OldestPendingBatchAge';

/** What is told apart by one dimension more, and by which. */
export interface DimensionOf {
  /** Receipts and batches that failed, by the name of their error. */
  readonly Failures: 'reason';
  /** Batches that have not ended, by their status. */
  readonly PendingBatches: 'status';
}

export interface Metrics {
  /** Adds a value to a metric; what it is counted in goes with its name. */
  count(name: MetricName, value: number): void;
  /** The same, for each value of the metric's dimension. */
  countEach(name: keyof DimensionOf, values: Readonly<Record<string, number>>): void;
}
