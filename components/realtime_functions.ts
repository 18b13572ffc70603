import type * as pulumi from '@pulumi/pulumi';
import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { grantMapResults } from './batch_grants.ts';
import type { EmbeddingFunction } from './embedding_function.ts';
import {
  type CreateFunction,
  type EmbeddingModelSettings,
  type Grant,
  grantBucket,
  type GrantedBucket,
  type GrantedTable,
  grantOpenAI,
  grantTable,
  type OpenAIAccess,
  plainVariables,
  readSecret,
} from './function_grants.ts';
import type { RealtimeStateMachineSettings } from './state_machines/realtime.ts';

/** What the functions of the realtime path reach. */
export interface RealtimeFunctionsArgs {
  readonly table: GrantedTable;
  readonly chromadbBucket: GrantedBucket;
  readonly embedding: EmbeddingModelSettings;
  readonly openai: OpenAIAccess;
  /** @default the stack has no batch path. */
  readonly batch?: { readonly batchBucket: GrantedBucket };
  /**
   * Ask Google Places for merchants that nobody knows.
   *
   * @default it is not asked.
   */
  readonly googlePlacesApiKeySecretArn?: pulumi.Input<string>;
  /**
   * Ask this Chroma server for merchants that nobody knows.
   *
   * @default none is asked.
   */
  readonly chromaHttpEndpoint?: string;
}

export type RealtimeFunctions = Readonly<
  Record<keyof RealtimeStateMachineSettings['functions'], EmbeddingFunction>
>;

/** Creates the functions of the realtime path, each with its least privilege. */
export function createRealtimeFunctions(
  create: CreateFunction,
  args: RealtimeFunctionsArgs,
): RealtimeFunctions {
  const { table, chromadbBucket, embedding, openai } = args;
  return {
    findReceipts: create('find_receipts_realtime', { memorySize: 1_024 }, [
      grantTable(table, [{ actions: ['dynamodb:Query'], indexes: ['GSI1', 'GSITYPE'] }]),
      grantBucket('CHROMADB_BUCKET', chromadbBucket, [
        { actions: ['s3:PutObject'], keys: [EXECUTION_FILES.realtime.manifest('*')] },
      ]),
    ]),
    processReceipt: create('process_receipt_realtime', { memorySize: 2_048 }, [
      grantTable(table, [
        {
          actions: [
            'dynamodb:Query',
            'dynamodb:GetItem',
            'dynamodb:PutItem',
            'dynamodb:UpdateItem',
          ],
        },
        { actions: ['dynamodb:Query'], indexes: ['GSI3'] },
      ]),
      grantBucket('CHROMADB_BUCKET', chromadbBucket, [
        {
          actions: ['s3:PutObject'],
          keys: ['lines/delta/*/delta.tar.gz', 'words/delta/*/delta.tar.gz'],
        },
      ]),
      plainVariables({
        EMBEDDING_MODEL: embedding.model,
        EMBEDDING_DIMENSIONS: embedding.dimensions,
      }),
      grantOpenAI(openai),
      grantMerchantLookup(args),
    ]),
    summarizeRun: create('summarize_execution', { memorySize: 1_024 }, [
      plainVariables({ EMBEDDING_MODEL: embedding.model }),
      grantMapResults(chromadbBucket, EXECUTION_FILES.realtime),
      ...(args.batch === undefined
        ? []
        : [
            grantMapResults(args.batch.batchBucket, EXECUTION_FILES.batch_submit),
            grantMapResults(args.batch.batchBucket, EXECUTION_FILES.batch_poll),
          ]),
    ]),
  };
}

function grantMerchantLookup({
  chromaHttpEndpoint,
  googlePlacesApiKeySecretArn: placesArn,
}: RealtimeFunctionsArgs): Grant {
  return {
    environment: {
      ...(chromaHttpEndpoint === undefined ? {} : { CHROMA_HTTP_ENDPOINT: chromaHttpEndpoint }),
      ...(placesArn === undefined ? {} : { GOOGLE_PLACES_API_KEY_SECRET_ARN: placesArn }),
    },
    statements: placesArn === undefined ? [] : [readSecret(placesArn)],
  };
}
