import type { BatchFunctionsArgs } from '../../../components/batch_grants.ts';
import type { Bundles } from '../../../components/bundling/bundles.ts';
import {
  EmbeddingFunction,
  type EmbeddingFunctionArgs,
} from '../../../components/embedding_function.ts';
import type {
  EmbeddingModelSettings,
  GrantedBucket,
  GrantedTable,
  OpenAIAccess,
  PineconeAccess,
} from '../../../components/function_grants.ts';
import { ServiceRole, type ServiceRoleArgs } from '../../../components/iam.ts';
import { LambdaFunctions, type LambdaFunctionsArgs } from '../../../components/lambda_functions.ts';
import { SharedLayer, type SharedLayerArgs } from '../../../components/lambda_layer.ts';
import { componentCase, type ComponentCase, fieldByField, several } from './component_case.ts';
import {
  BUCKET,
  LAYER_ARN,
  OTHER_BUCKET,
  OTHER_TABLE,
  OTHER_TAGS,
  secretArn,
  TABLE,
  TAGS,
} from './sample_args.ts';

const STATEMENT = { actions: ['dynamodb:Query'], resources: [TABLE.arn] };

type Batch = NonNullable<LambdaFunctionsArgs['batch']>;
const BATCH: Pick<BatchFunctionsArgs, 'batchBucket' | 'pinecone' | 'batchMaxTokens'> = {
  batchBucket: { bucketName: 'batches', arn: 'arn:aws:s3:::batches' },
  pinecone: { apiKeySecretArn: secretArn('pinecone'), indexName: 'receipts' },
  batchMaxTokens: 1_000,
};

const STATEMENTS = several<ServiceRoleArgs['statements'] & EmbeddingFunctionArgs['statements']>(
  [],
  [{ ...STATEMENT, actions: ['dynamodb:GetItem'] }],
  [{ ...STATEMENT, resources: [OTHER_TABLE.arn] }],
  [{ ...STATEMENT, conditions: { StringEquals: { 'aws:SourceAccount': '123456789012' } } }],
);

export const FUNCTIONS: readonly ComponentCase[] = [
  componentCase<ServiceRoleArgs>(
    'ServiceRole',
    (args, options) => new ServiceRole('ours', args, options),
    { stem: 'role', service: 'lambda.amazonaws.com', statements: [STATEMENT], tags: TAGS },
    {
      stem: 'another',
      service: 'states.amazonaws.com',
      trustConditions: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
      statements: STATEMENTS,
      tags: OTHER_TAGS,
    },
  ),
  componentCase<SharedLayerArgs>(
    'SharedLayer',
    (args, options) => new SharedLayer('ours', args, options),
    { folder: 'bundles/layer' },
    { folder: 'bundles/another' },
  ),
  componentCase<EmbeddingFunctionArgs>(
    'EmbeddingFunction',
    (args, options) => new EmbeddingFunction('ours', args, options),
    {
      what: 'find-receipts',
      folder: 'bundles/find',
      layerArn: LAYER_ARN,
      memorySize: 1_024,
      timeout: 900,
      environment: { A: 'a' },
      statements: [STATEMENT],
      logRetentionDays: 30,
      tags: TAGS,
    },
    {
      what: 'find-others',
      folder: 'bundles/another',
      layerArn: `${LAYER_ARN}0`,
      memorySize: 2_048,
      ephemeralStorage: 1_024,
      timeout: 60,
      environment: several<EmbeddingFunctionArgs['environment']>({}, { A: 'b' }, { B: 'a' }),
      statements: STATEMENTS,
      logRetentionDays: 60,
      tags: OTHER_TAGS,
    },
  ),
  componentCase<LambdaFunctionsArgs>(
    'LambdaFunctions',
    (args, options) => new LambdaFunctions('ours', args, options),
    {
      bundles: { layer: 'bundles/layer', handler: (name) => `bundles/${name}` },
      table: TABLE,
      chromadbBucket: BUCKET,
      embedding: { model: 'text-embedding-3-small', dimensions: 1536 },
      openai: { apiKeySecretArn: secretArn('openai') },
      batch: BATCH,
      logRetentionDays: 30,
      tags: TAGS,
    },
    {
      bundles: fieldByField<Bundles>({
        layer: 'bundles/another',
        handler: several<Bundles['handler']>((name) => `others/${name}`),
      }),
      table: fieldByField<GrantedTable>(OTHER_TABLE),
      chromadbBucket: fieldByField<GrantedBucket>(OTHER_BUCKET),
      embedding: fieldByField<EmbeddingModelSettings>({ model: 'another', dimensions: 512 }),
      openai: fieldByField<OpenAIAccess>({
        apiKeySecretArn: secretArn('another'),
        baseUrl: 'https://openai.example/v1',
      }),
      googlePlacesApiKeySecretArn: secretArn('places'),
      chromaHttpEndpoint: 'https://chroma.example',
      batch: fieldByField<Batch>({
        batchBucket: fieldByField<GrantedBucket>(OTHER_BUCKET),
        pinecone: fieldByField<PineconeAccess>({
          apiKeySecretArn: secretArn('another'),
          indexName: 'others',
          host: 'https://index.example',
        }),
        batchMaxTokens: 2_000,
      }),
      logRetentionDays: 60,
      tags: OTHER_TAGS,
    },
  ),
];
