import { BATCH_FILES } from 'receipt-embedding/object_keys';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'upsert_to_store',
  description: 'Writes the vectors of one part of the results to one vector store',
  memory_mb: 1_024,
  table: { rows: ['UpdateItem', 'GetItem'] },
  objects: {
    batch: {
      GetObject: [`${BATCH_FILES.results('*')}/*`],
      PutObject: [`${BATCH_FILES.results('*')}/*`],
    },
  },
  stores: { operations: ['upsert'] },
  variables: ['EMBEDDING_MODEL', 'EMBEDDING_DIMENSIONS'],
});

/**
 * The function of one store: the same code, which may write to that store alone.
 *
 * @example upsertTo('pinecone').name // 'upsert_to_pinecone'
 */
export function upsertTo(store: StoreName) {
  return {
    ...declaration,
    name: `upsert_to_${store}`,
    folder: declaration.name,
    description: `Writes the vectors of one part of the results to the store ${store}`,
    stores: { ...declaration.stores, only: store },
  };
}
