/** OpenAI's Batch API. */
export {
  downloadOpenaiBatchResult,
  type BatchEmbedding,
  type RejectedRow,
} from './batch/download_results.ts';
export {
  createOpenaiBatch,
  findOpenaiBatch,
  getOpenaiBatchStatus,
  uploadBatchRequests,
  type OpenaiBatchStatus,
} from './batch/openai_batches.ts';
export { readRequestedEntities } from './batch/requested_entities.ts';
