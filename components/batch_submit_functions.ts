import { BATCH_FILES, EXECUTION_FILES } from 'receipt-embedding/object_keys';
import {
  type BatchFunctionsArgs,
  PLANNING,
  READ_PLAN,
  SENDING,
  WRITE_REQUESTS,
} from './batch_grants.ts';
import type { EmbeddingFunction } from './embedding_function.ts';
import {
  type CreateFunction,
  grantBucket,
  grantOpenAI,
  grantTable,
  plainVariables,
} from './function_grants.ts';
import type { BatchSubmitStateMachineSettings } from './state_machines/batch_submit.ts';

export type BatchSubmitFunctions = Readonly<
  Record<keyof BatchSubmitStateMachineSettings['functions'], EmbeddingFunction>
>;

/** Creates the functions of the submit workflow, each with its least privilege. */
export function createBatchSubmitFunctions(
  create: CreateFunction,
  { table, batchBucket, embedding, openai, batchMaxTokens }: BatchFunctionsArgs,
  summarize: EmbeddingFunction,
): BatchSubmitFunctions {
  return {
    planBatches: create('plan_batches', PLANNING, [
      grantTable(table, [
        { actions: ['dynamodb:Query'], indexes: ['GSI1', 'GSI3'] },
        { actions: ['dynamodb:GetItem'] },
      ]),
      grantBucket('BATCH_BUCKET', batchBucket, [
        {
          actions: ['s3:PutObject'],
          keys: [BATCH_FILES.plan('*'), EXECUTION_FILES.batch_submit.manifest('*')],
        },
      ]),
      plainVariables({
        EMBEDDING_MODEL: embedding.model,
        EMBEDDING_DIMENSIONS: embedding.dimensions,
        BATCH_MAX_TOKENS: batchMaxTokens,
      }),
    ]),
    submitBatch: create('submit_batch', SENDING, [
      grantTable(table, [
        {
          actions: [
            'dynamodb:Query',
            'dynamodb:GetItem',
            'dynamodb:PutItem',
            'dynamodb:UpdateItem',
          ],
        },
      ]),
      grantBucket('BATCH_BUCKET', batchBucket, [READ_PLAN, WRITE_REQUESTS]),
      plainVariables({
        EMBEDDING_MODEL: embedding.model,
        EMBEDDING_DIMENSIONS: embedding.dimensions,
      }),
      grantOpenAI(openai),
    ]),
    summarizeSubmit: summarize,
  };
}
