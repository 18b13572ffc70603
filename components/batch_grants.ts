import { BATCH_FILES } from 'receipt-embedding/object_keys';
import {
  type BucketUse,
  type EmbeddingModelSettings,
  type Grant,
  type GrantedBucket,
  type GrantedTable,
  grantObjects,
  type OpenAIAccess,
  type PineconeAccess,
  type TableUse,
} from './function_grants.ts';

/** What the functions of the batch path reach. */
export interface BatchFunctionsArgs {
  readonly table: GrantedTable;
  readonly batchBucket: GrantedBucket;
  readonly embedding: EmbeddingModelSettings;
  readonly openai: OpenAIAccess;
  readonly pinecone: PineconeAccess;
  /** How many tokens a batch holds at most. */
  readonly batchMaxTokens: number;
}

/** Lists, requests and results are files, which some functions have in their temporary folder on the way. */
export const SMALL = { memorySize: 1_024 };
export const SENDING = { memorySize: 1_024, ephemeralStorage: 1_024 };
export const RECEIVING = { memorySize: 1_024, ephemeralStorage: 2_048 };
export const PLANNING = { memorySize: 2_048, ephemeralStorage: 1_024 };

/** The rows of a receipt's lines and words. */
export const READ_RECEIPTS: TableUse = { actions: ['dynamodb:Query'], indexes: ['GSI3'] };
export const READ_AND_UPDATE: TableUse = { actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'] };
export const QUERY_AND_UPDATE: TableUse = {
  actions: ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:UpdateItem'],
};

export const REQUESTS = BATCH_FILES.requests('*');
export const READ_PLAN: BucketUse = {
  actions: ['s3:GetObject'],
  keys: [BATCH_FILES.plan('*'), REQUESTS],
};
export const WRITE_REQUESTS: BucketUse = { actions: ['s3:PutObject'], keys: [REQUESTS] };
export const RESULTS = `${BATCH_FILES.results('*')}/*`;
export const READ_RESULTS: BucketUse = { actions: ['s3:GetObject'], keys: [RESULTS] };

/** For a function that adds up what became of the items of a Map. */
export function grantMapResults(
  bucket: GrantedBucket,
  files: { readonly results: (executionName: string) => string },
): Grant {
  return grantObjects(bucket, [{ actions: ['s3:GetObject'], keys: [`${files.results('*')}/*`] }]);
}
