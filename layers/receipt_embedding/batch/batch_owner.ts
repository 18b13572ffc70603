import type { ClaimOwner } from '../dynamodb/embedding_claims.ts';
import type { BatchSummary } from '../entities/batch_summary.ts';

/** Whether this system has submitted a batch; otherwise an older one has. */
export function isOurs(batch: BatchSummary): boolean {
  return batch.submitted_by !== undefined;
}

/** The owner of a batch's claims. An older system's claims have none. */
export function ownerOf(batch: BatchSummary): ClaimOwner {
  return isOurs(batch) ? batch.batch_id : undefined;
}
