import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'record_batch_failure',
  description: 'Records why an execution could not finish a batch',
  memory_mb: 1_024,
  table: { rows: ['GetItem', 'UpdateItem'] },
});
