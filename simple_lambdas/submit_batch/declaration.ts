import { BATCH_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'submit_batch',
  description: 'Submits one batch to OpenAI',
  memory_mb: 1_024,
  temporary_folder_mb: 1_024,
  table: { rows: ['Query', 'GetItem', 'PutItem', 'UpdateItem', 'PartiQLUpdate'] },
  objects: {
    batch: {
      GetObject: [BATCH_FILES.plan('*'), BATCH_FILES.requests('*')],
      PutObject: [BATCH_FILES.requests('*')],
    },
  },
  vendors: ['openai'],
  variables: ['EMBEDDING_MODEL', 'EMBEDDING_DIMENSIONS', 'KEEP_OPENAI_FILES'],
});
