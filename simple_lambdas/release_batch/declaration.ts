import { BATCH_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'release_batch',
  description: 'Ends a batch that has no results, and releases its claims',
  memory_mb: 1_024,
  table: { rows: ['Query', 'GetItem', 'UpdateItem', 'PartiQLUpdate'], GSI3: ['Query'] },
  objects: {
    batch: {
      GetObject: [BATCH_FILES.plan('*'), BATCH_FILES.requests('*')],
      PutObject: [BATCH_FILES.requests('*')],
    },
  },
  vendors: ['openai'],
  variables: ['KEEP_OPENAI_FILES'],
});
