/** What the handlers count. Few names and no free dimensions: each pair of them costs money. */
export type MetricName =
  | 'ReceiptsEmbedded'
  | 'ReceiptsReused'
  | 'ReceiptsSkipped'
  | 'VectorsWritten'
  | 'PromptTokens'
  | 'InvalidRows'
  | 'MerchantLookupsFailed'
  | 'ReceiptsFailed'
  | 'BatchesSubmitted'
  | 'BatchesEnded'
  | 'BatchesFailed'
  | 'BatchRowsFailed'
  | 'BatchRowsReleased';

export interface Metrics {
  count(name: MetricName, value: number): void;
}
