import { BATCH_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'mark_batch_complete',
  description: 'Ends a batch whose results are recorded',
  memory_mb: 1_024,
  table: { rows: ['Query', 'GetItem', 'UpdateItem', 'PartiQLUpdate'] },
  objects: { batch: { GetObject: [BATCH_FILES.plan('*'), BATCH_FILES.requests('*')] } },
  vendors: ['openai'],
  variables: ['KEEP_OPENAI_FILES'],
});
