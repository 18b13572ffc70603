import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'list_pending_batches',
  description: 'Lists the batches that have not ended',
  memory_mb: 1_024,
  table: { GSI1: ['Query'] },
  objects: { batch: { PutObject: [EXECUTION_FILES.batch_poll.manifest('*')] } },
});
