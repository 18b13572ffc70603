import type { BatchOutcome } from 'receipt-embedding/batches';
import type { Metrics } from 'receipt-embedding/ports';

/** What is counted when a batch has ended. */
export function countOutcome(metrics: Metrics, { failed, released }: BatchOutcome): void {
  metrics.count('BatchesEnded', 1);
  metrics.count('BatchRowsFailed', failed);
  metrics.count('BatchRowsReleased', released);
}
