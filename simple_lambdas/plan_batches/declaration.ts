import { BATCH_FILES, EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'plan_batches',
  description: 'Packs the lines and words to embed into batches',
  memory_mb: 2_048,
  temporary_folder_mb: 1_024,
  table: { GSI1: ['Query'], GSI3: ['Query'], rows: ['GetItem'] },
  objects: {
    batch: { PutObject: [BATCH_FILES.plan('*'), EXECUTION_FILES.batch_submit.manifest('*')] },
  },
  // It looks at their dimensions: OpenAI would be paid for vectors that have nowhere to go.
  stores: { operations: [] },
  variables: ['BATCH_MAX_TOKENS', 'EMBEDDING_MODEL', 'EMBEDDING_DIMENSIONS'],
});
