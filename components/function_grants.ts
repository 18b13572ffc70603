import * as pulumi from '@pulumi/pulumi';
import type { EmbeddingFunction } from './embedding_function.ts';
import type { FunctionName } from './function_names.ts';
import type { PolicyStatement } from './iam.ts';

/** What a function may do, and the environment variables that go with it. */
export interface Grant {
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  readonly statements: readonly PolicyStatement[];
}

/** How large a function is, MB. */
export interface FunctionSize {
  readonly memorySize: number;
  /** @default Lambda's own 512 */
  readonly ephemeralStorage?: number;
}

/** Creates the function of a folder of `simple_lambdas`, with these grants and no other. */
export type CreateFunction = (
  folder: FunctionName,
  size: FunctionSize,
  grants: readonly Grant[],
) => EmbeddingFunction;

/** A table that functions use. */
export interface GrantedTable {
  readonly name: pulumi.Input<string>;
  readonly arn: pulumi.Input<string>;
}

/** A bucket that functions use. */
export interface GrantedBucket {
  readonly bucketName: pulumi.Input<string>;
  readonly arn: pulumi.Input<string>;
}

/** The model that a whole stack embeds with. */
export interface EmbeddingModelSettings {
  readonly model: string;
  readonly dimensions: number;
}

export interface OpenAIAccess {
  readonly apiKeySecretArn: pulumi.Input<string>;
  /** @default OpenAI's own. */
  readonly baseUrl?: string;
}

export interface PineconeAccess {
  readonly apiKeySecretArn: pulumi.Input<string>;
  readonly indexName: string;
  /** @default Pinecone is asked where the index is. */
  readonly host?: string;
}

/** Actions on the table itself, or on some of its indexes. */
export interface TableUse {
  readonly actions: readonly string[];
  readonly indexes?: readonly string[];
}

/** Actions on objects, whose keys may have `*` in them. */
export interface BucketUse {
  readonly actions: readonly string[];
  readonly keys: readonly string[];
}

export function grantTable({ name, arn }: GrantedTable, uses: readonly TableUse[]): Grant {
  return {
    environment: { DYNAMODB_TABLE_NAME: name },
    statements: uses.map(({ actions, indexes }) => ({
      actions,
      resources: indexes?.map((index) => pulumi.interpolate`${arn}/index/${index}`) ?? [arn],
    })),
  };
}

/** @param variable that says the bucket's name. */
export function grantBucket(
  variable: 'CHROMADB_BUCKET' | 'BATCH_BUCKET',
  bucket: GrantedBucket,
  uses: readonly BucketUse[],
): Grant {
  return {
    environment: { [variable]: bucket.bucketName },
    statements: objectStatements(bucket, uses),
  };
}

/** For a function that is told in its input which objects to read. */
export function grantObjects(bucket: GrantedBucket, uses: readonly BucketUse[]): Grant {
  return { environment: {}, statements: objectStatements(bucket, uses) };
}

/** Variables that need no permission. */
export function plainVariables(environment: Readonly<Record<string, string | number>>): Grant {
  const texts = Object.entries(environment).map(([name, value]) => [name, String(value)] as const);
  return { environment: Object.fromEntries(texts), statements: [] };
}

export function grantOpenAI({ apiKeySecretArn, baseUrl }: OpenAIAccess): Grant {
  return {
    environment: {
      OPENAI_API_KEY_SECRET_ARN: apiKeySecretArn,
      ...(baseUrl === undefined ? {} : { OPENAI_BASE_URL: baseUrl }),
    },
    statements: [readSecret(apiKeySecretArn)],
  };
}

export function grantPinecone({ apiKeySecretArn, indexName, host }: PineconeAccess): Grant {
  return {
    environment: {
      PINECONE_API_KEY_SECRET_ARN: apiKeySecretArn,
      PINECONE_INDEX_NAME: indexName,
      ...(host === undefined ? {} : { PINECONE_HOST: host }),
    },
    statements: [readSecret(apiKeySecretArn)],
  };
}

export function readSecret(arn: pulumi.Input<string>): PolicyStatement {
  return { actions: ['secretsmanager:GetSecretValue'], resources: [arn] };
}

function objectStatements({ arn }: GrantedBucket, uses: readonly BucketUse[]): PolicyStatement[] {
  return uses.map(({ actions, keys }) => ({
    actions,
    resources: keys.map((key) => pulumi.interpolate`${arn}/${key}`),
  }));
}
