import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { limitTime, SMALL_ANSWER } from 'receipt-embedding/aws_clients';
import type { EmbeddingModel } from 'receipt-embedding/embeddings/embedder';
import { openStores, STORES } from 'receipt-embedding/stores/open_stores';
import {
  createS3VectorsClient,
  S3VectorsStore,
} from 'receipt-embedding/stores/s3_vectors/s3_vectors_store';
import type {
  StoreDeclaration,
  StoreName,
  VectorStore,
} from 'receipt-embedding/stores/vector_store';
import { declaration } from '../../../simple_lambdas/search_receipts/declaration.ts';
import { secretArnVariable } from '../../../simple_lambdas/runtime/declaration.ts';
import { readEnvironment } from '../../../simple_lambdas/runtime/environment.ts';
import { requireOutput, type StackOutputs, stackRegion } from '../command_line/deployed_stack.ts';
import { createLambdaClient } from '../search/search_function.ts';

/** A store, with the identity that records of receipts name it by. */
export interface OpenedStore {
  readonly name: StoreName;
  readonly identity: string;
  readonly store: Pick<VectorStore, 'query' | 'remove'>;
  /** Of its vectors. */
  readonly dimensions: number;
}

/** A store of the stack, with all that a store can do. */
export interface StackStore extends OpenedStore {
  readonly store: VectorStore;
  /** The stack's. */
  readonly model: EmbeddingModel;
}

/** What a stack's stores are found with, by the rights of whoever runs the command. */
export interface StackStoreClients {
  readonly lambda: Pick<LambdaClient, 'send'>;
  readonly secrets: Pick<SecretsManagerClient, 'send'>;
}

/**
 * The stores of a stack, as its function search_receipts is configured for them: it has all of them.
 *
 * @throws WrongArgument for a stack without the function; InvalidConfiguration, and what AWS or a store refuses.
 */
export async function openStackStores(
  outputs: StackOutputs,
  clients: StackStoreClients = createClients(stackRegion(outputs)),
): Promise<StackStore[]> {
  const { Environment: configured } = await clients.lambda.send(
    new GetFunctionConfigurationCommand({
      FunctionName: requireOutput(outputs, 'search_function_name'),
    }),
  );
  const variables = configured?.Variables ?? {};
  const environment = readEnvironment(declaration, variables);
  const { EMBEDDING_MODEL: model, EMBEDDING_DIMENSIONS: dimensions } = environment;
  const stores = await openStores(environment.VECTOR_STORES, {
    environment,
    model: { model, dimensions },
    secretOf: async (name) => {
      const { secret }: StoreDeclaration = STORES[name];
      const arn = secret === undefined ? undefined : variables[secretArnVariable(secret)];
      if (arn === undefined) return undefined;
      const { SecretString: value } = await clients.secrets.send(
        new GetSecretValueCommand({ SecretId: arn }),
      );
      return value;
    },
  });
  const opened: StackStore[] = [];
  for (const store of stores) {
    const identity = await store.identity();
    opened.push({ name: store.name, identity, store, dimensions, model: { model, dimensions } });
  }
  return opened;
}

/** An identity of S3 Vectors: `arn:…:bucket/receipts-1a2b/index/*-text-embedding-3-small-1536-5e6f`. */
const S3_VECTORS_IDENTITY =
  /^(?<bucket>arn:[^:]+:s3vectors:[^:]+:\d{12}:bucket\/[a-z0-9.-]+)\/index\/\*-(?<model>.+)-(?<dimensions>\d+)-(?<suffix>[a-z0-9]+)$/;

/**
 * A store that the stack does not have any more, where its identity says all that is needed: indexes of S3 Vectors, which another model
 * leaves behind.
 *
 * @returns undefined for others.
 */
export function openFormerStore(identity: string): OpenedStore | undefined {
  const parts = S3_VECTORS_IDENTITY.exec(identity)?.groups;
  if (parts === undefined) return undefined;
  const { bucket: bucketArn = '', model = '', suffix } = parts;
  const dimensions = Number(parts['dimensions']);
  const store = new S3VectorsStore({
    client: createS3VectorsClient(bucketArn),
    bucketArn,
    model: { model, dimensions },
    suffix,
  });
  return { name: store.name, identity, store, dimensions };
}

/** @param region undefined: the environment's. */
function createClients(region: string | undefined): StackStoreClients {
  return {
    lambda: createLambdaClient(region),
    secrets: new SecretsManagerClient({
      ...(region === undefined ? {} : { region }),
      requestHandler: limitTime(SMALL_ANSWER),
    }),
  };
}
