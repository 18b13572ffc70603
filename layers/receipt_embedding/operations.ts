/** What whoever operates a stack does with its table: counting what there is, and putting back what failed. No function loads it. */
export { countBatches, type BatchCounts } from './dynamodb/batch_counts.ts';
export { submissionDied } from './dynamodb/batch_listing.ts';
export { readBatchSummary } from './dynamodb/batch_summaries.ts';
export { ClaimOwners } from './dynamodb/claim_owners.ts';
export {
  countCompactionStates,
  type CompactionCounts,
  type FailedRun,
} from './dynamodb/compaction_counts.ts';
export { putBack, type PutBack } from './dynamodb/put_back.ts';
export { receiptExists } from './dynamodb/receipt_existence.ts';
export type { SeenEntity } from './dynamodb/seen_entity.ts';
export {
  entitiesClaimedBy,
  entitiesFailedIn,
  failedEntities,
  unsettledEntities,
} from './dynamodb/seen_listing.ts';
export {
  countEmbeddingStatuses,
  type CountingProgress,
  type StatusCounts,
} from './dynamodb/status_counts.ts';
export { UPDATES_AT_ONCE } from './dynamodb/status_update.ts';
