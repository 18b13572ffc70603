/** Reading and changing the users' DynamoDB table. */
export { putRows } from './dynamodb/batch_write.ts';
export {
  findCompactionRuns,
  recordCompactionRun,
  type RecordedRun,
} from './dynamodb/compaction_runs.ts';
export {
  setEmbeddingStatuses,
  type StatusChanges,
  type StatusHolder,
} from './dynamodb/embedding_statuses.ts';
export { queryPages } from './dynamodb/query.ts';
export {
  readReceiptContents,
  readReceiptText,
  type ReceiptContents,
} from './dynamodb/receipt_contents.ts';
export { listReceipts, type InvalidRows } from './dynamodb/receipt_listing.ts';
export { receiptsWithStatus, SHARDS } from './dynamodb/status_listing.ts';
export type { Table } from './dynamodb/table.ts';
