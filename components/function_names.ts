/** The folders of `simple_lambdas` that hold a function of the realtime path. */
export const REALTIME_FUNCTION_NAMES = [
  'find_receipts_realtime',
  'process_receipt_realtime',
] as const;

/** Those of the batch path, in the order in which a batch meets them. */
export const BATCH_FUNCTION_NAMES = [
  'plan_batches',
  'submit_batch',
  'list_pending_batches',
  'get_batch_status',
  'download_batch_results',
  'upsert_to_pinecone',
  'write_results_to_dynamo',
  'mark_batch_complete',
  'release_batch',
  'record_batch_failure',
] as const;

export const FUNCTION_NAMES = [
  ...REALTIME_FUNCTION_NAMES,
  ...BATCH_FUNCTION_NAMES,
  'summarize_execution',
] as const;

export type FunctionName = (typeof FUNCTION_NAMES)[number];
