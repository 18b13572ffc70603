import { BATCH_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'upsert_to_pinecone',
  description: 'Writes the vectors of one part of the results to Pinecone',
  memory_mb: 1_024,
  table: { rows: ['Query', 'GetItem', 'UpdateItem'], GSI3: ['Query'] },
  objects: {
    batch: {
      GetObject: [`${BATCH_FILES.results('*')}/*`],
      PutObject: [`${BATCH_FILES.results('*')}/*`],
    },
  },
  vendors: ['pinecone'],
});
