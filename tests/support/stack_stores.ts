import type { StoreName, VectorCollection } from 'receipt-embedding/stores/vector_store';
import type { LocalStack } from 'receipts-cli/local_stack';
import {
  openStore,
  pineconeOf,
  s3VectorsIndex,
  storesOf,
  storeVariables,
} from 'receipts-cli/local_stores';
import { emptyPinecone, pineconeContents, type StoredVector } from './stored_vectors.ts';

/** Everything that one store of the stack holds. */
export interface StoreContents extends Readonly<
  Record<VectorCollection, ReadonlyMap<string, StoredVector>>
> {
  readonly name: StoreName;
  /** As records name it. */
  readonly identity: string;
}

/** All that the stores of the stack hold, each read by a way of its own. */
export async function storeContents(local: LocalStack): Promise<StoreContents[]> {
  const variables = storeVariables(local);
  return await Promise.all(
    storesOf(variables).map(async (name) => ({
      name,
      identity: await openStore(name, local, variables).identity(),
      ...(name === 's3_vectors'
        ? {
            lines: s3VectorsContents('lines', local, variables),
            words: s3VectorsContents('words', local, variables),
          }
        : await pineconeContents(pineconeOf(local, variables))),
    })),
  );
}

/** Takes everything out of every store that the stack was deployed with. */
export async function emptyStores(local: LocalStack): Promise<void> {
  const variables = storeVariables(local);
  await emptyPinecone(local.pineconeAccess);
  for (const collection of ['lines', 'words'] as const) {
    const index = s3VectorsIndex(collection, local, variables);
    for (const { key } of index === undefined ? [] : [...index.list()]) index?.delete(key);
  }
}

/** An index in S3 Vectors, to look into it, or to spoil it, without a request. @throws when the stack has none. */
export function vectorIndex(
  local: LocalStack,
  collection: VectorCollection,
): NonNullable<ReturnType<typeof s3VectorsIndex>> {
  const index = s3VectorsIndex(collection, local, storeVariables(local));
  if (index === undefined) throw new Error('the stack has no S3 Vectors');
  return index;
}

function s3VectorsContents(
  collection: VectorCollection,
  local: LocalStack,
  variables: ReturnType<typeof storeVariables>,
): Map<string, StoredVector> {
  const index = s3VectorsIndex(collection, local, variables);
  return new Map(
    [...(index?.list() ?? [])].map(({ key, metadata }) => [
      key,
      { values: new Float32Array(index?.data(key) ?? []), metadata },
    ]),
  );
}
