import { createPineconeStore } from 'receipt-embedding/stores/pinecone/pinecone_store';
import { indexArn } from 'receipt-embedding/stores/s3_vectors/declaration';
import { S3VectorsStore } from 'receipt-embedding/stores/s3_vectors/s3_vectors_store';
import {
  type StoreName,
  storeNameSchema,
  type VectorCollection,
  type VectorStore,
} from 'receipt-embedding/stores/vector_store';
import type { LocalStack } from './local_stack.ts';

/** The function whose variables say which stores the stack has. */
const PROCESS = 'embedding-process-receipt-realtime-lambda-dev';

type Variables = Readonly<Record<string, string>>;

/** The stores that the functions of a local stack are configured with now, opened as the functions open them. */
export function localStores(local: LocalStack): VectorStore[] {
  const variables = storeVariables(local);
  return storesOf(variables).map((name) => openStore(name, local, variables));
}

/** How the functions find their stores. */
export function storeVariables({ aws }: LocalStack): Variables {
  return aws.lambda.find(PROCESS)?.environment ?? {};
}

export function storesOf(variables: Variables): StoreName[] {
  return (variables['VECTOR_STORES'] ?? '').split(',').map((name) => storeNameSchema.parse(name));
}

/** @throws TypeError for Chroma, of which no local stack has a server. */
export function openStore(name: StoreName, local: LocalStack, variables: Variables): VectorStore {
  if (name === 'chroma') throw new TypeError('no local stack has a Chroma server');
  return name === 's3_vectors'
    ? new S3VectorsStore({
        client: local.aws.clients.s3vectors,
        bucketArn: variables['S3_VECTORS_BUCKET_ARN'] ?? '',
        suffix: variables['S3_VECTORS_INDEX_SUFFIX'],
        model: local.embeddingModel,
      })
    : createPineconeStore({
        ...pineconeOf(local, variables),
        indexName: variables['PINECONE_INDEX_NAME'] ?? '',
      });
}

/** Where the functions find it now: a test may have given them another index. */
export function pineconeOf(
  { pineconeAccess }: LocalStack,
  variables: Variables,
): LocalStack['pineconeAccess'] {
  return { ...pineconeAccess, host: variables['PINECONE_HOST'] ?? pineconeAccess.host };
}

/** The vectors of a collection in the embedded S3 Vectors; undefined where the stack does not have that store. */
export function s3VectorsIndex(
  collection: VectorCollection,
  { aws, embeddingModel }: LocalStack,
  variables: Variables,
): ReturnType<LocalStack['aws']['s3vectors']['vectors']> | undefined {
  const { S3_VECTORS_BUCKET_ARN: bucket, S3_VECTORS_INDEX_SUFFIX: suffix } = variables;
  if (bucket === undefined) return undefined;
  return aws.s3vectors.vectors({
    indexArn: indexArn(bucket, collection, embeddingModel, suffix),
  });
}

/** How many vectors a store of a local stack holds. */
export function countVectors(
  name: StoreName,
  local: LocalStack,
): Readonly<Record<VectorCollection, number>> {
  const variables = storeVariables(local);
  const count = (collection: VectorCollection): number =>
    name === 's3_vectors'
      ? (s3VectorsIndex(collection, local, variables)?.size ?? 0)
      : (local.pinecone.counts.get(collection) ?? 0);
  return { lines: count('lines'), words: count('words') };
}
