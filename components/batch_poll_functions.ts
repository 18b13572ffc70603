import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import {
  type BatchFunctionsArgs,
  QUERY_AND_UPDATE,
  READ_AND_UPDATE,
  READ_PLAN,
  READ_RECEIPTS,
  READ_RESULTS,
  RECEIVING,
  REQUESTS,
  RESULTS,
  SMALL,
  WRITE_REQUESTS,
} from './batch_grants.ts';
import type { EmbeddingFunction } from './embedding_function.ts';
import {
  type CreateFunction,
  grantBucket,
  grantOpenAI,
  grantPinecone,
  grantTable,
  plainVariables,
} from './function_grants.ts';
import type { BatchPollStateMachineSettings } from './state_machines/batch_poll.ts';

export type BatchPollFunctions = Readonly<
  Record<keyof BatchPollStateMachineSettings['functions'], EmbeddingFunction>
>;

/** Creates the functions of the poll workflow, each with its least privilege. */
export function createBatchPollFunctions(
  create: CreateFunction,
  { table, batchBucket, embedding, openai, pinecone }: BatchFunctionsArgs,
  summarize: EmbeddingFunction,
): BatchPollFunctions {
  return {
    listPendingBatches: create('list_pending_batches', SMALL, [
      grantTable(table, [{ actions: ['dynamodb:Query'], indexes: ['GSI1'] }]),
      grantBucket('BATCH_BUCKET', batchBucket, [
        { actions: ['s3:PutObject'], keys: [EXECUTION_FILES.batch_poll.manifest('*')] },
      ]),
    ]),
    getBatchStatus: create('get_batch_status', SMALL, [
      grantTable(table, [READ_AND_UPDATE]),
      grantOpenAI(openai),
    ]),
    downloadResults: create('download_batch_results', RECEIVING, [
      grantTable(table, [READ_AND_UPDATE, READ_RECEIPTS]),
      grantBucket('BATCH_BUCKET', batchBucket, [
        READ_PLAN,
        { actions: ['s3:PutObject'], keys: [REQUESTS, RESULTS] },
      ]),
      plainVariables({ EMBEDDING_DIMENSIONS: embedding.dimensions }),
      grantOpenAI(openai),
    ]),
    upsertToPinecone: create('upsert_to_pinecone', SMALL, [
      grantTable(table, [QUERY_AND_UPDATE, READ_RECEIPTS]),
      grantBucket('BATCH_BUCKET', batchBucket, [READ_RESULTS]),
      grantPinecone(pinecone),
    ]),
    writeResultsToDynamo: create('write_results_to_dynamo', SMALL, [
      grantTable(table, [
        { actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem'] },
        READ_RECEIPTS,
      ]),
      grantBucket('BATCH_BUCKET', batchBucket, [READ_RESULTS]),
    ]),
    markBatchComplete: create('mark_batch_complete', SMALL, [
      grantTable(table, [QUERY_AND_UPDATE]),
      grantBucket('BATCH_BUCKET', batchBucket, [{ actions: ['s3:GetObject'], keys: [REQUESTS] }]),
    ]),
    releaseBatch: create('release_batch', SMALL, [
      grantTable(table, [QUERY_AND_UPDATE, READ_RECEIPTS]),
      grantBucket('BATCH_BUCKET', batchBucket, [READ_PLAN, WRITE_REQUESTS]),
      grantOpenAI(openai),
    ]),
    recordBatchFailure: create('record_batch_failure', SMALL, [
      grantTable(table, [READ_AND_UPDATE]),
    ]),
    summarizePoll: summarize,
  };
}
