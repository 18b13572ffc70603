/** Batches: what is packed into them, their files, and what becomes of their results. Nothing here speaks to OpenAI or Pinecone. */
export { isOurs, ownerOf } from './batch/batch_owner.ts';
export { OPENAI_BATCH_LIMITS, type PackedBatch } from './batch/batch_packer.ts';
export { BatchStorage } from './batch/batch_storage.ts';
export { claimPlannedEntities } from './batch/claim_planned.ts';
export {
  markBatchComplete,
  recordedOutcome,
  type BatchEnd,
  type BatchOutcome,
} from './batch/mark_batch_complete.ts';
export type { PartRow } from './batch/part_row.ts';
export { partition } from './batch/partition.ts';
export { batchIdOf, isEnded, planBatches, type PlannedReceipts } from './batch/plan_batches.ts';
export { requestLine } from './batch/planned_entity.ts';
export {
  ResultCollector,
  type RequestedEntities,
  type ResultCounts,
} from './batch/result_collector.ts';
export { upsertEmbeddingsToPinecone } from './batch/upsert_embeddings.ts';
export { VectorSpool } from './batch/vector_spool.ts';
export { writeEmbeddingResultsToDynamo } from './batch/write_results.ts';
export {
  claimBatch,
  createBatchSummary,
  readBatchSummary,
  updateBatch,
  type BatchChanges,
  type BatchClaim,
} from './dynamodb/batch_summaries.ts';
export { listPendingEmbeddingBatches, type PendingBatches } from './dynamodb/batch_listing.ts';
export { withTemporaryFolder } from './files/temporary_folder.ts';
