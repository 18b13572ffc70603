import type { BatchOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import type { Metrics } from 'receipt-embedding/ports';

/** What is counted when a batch has ended. */
export function countOutcome(metrics: Metrics, { released }: BatchOutcome): void {
  metrics.count('BatchesEnded', 1);
  metrics.count('BatchRowsReleased', released);
}
