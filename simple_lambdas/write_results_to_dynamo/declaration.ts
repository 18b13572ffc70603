import { BATCH_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'write_results_to_dynamo',
  description: 'Records one part of the results in the table',
  memory_mb: 1_024,
  table: { rows: ['GetItem', 'PutItem', 'UpdateItem', 'PartiQLUpdate', 'BatchWriteItem'] },
  objects: { batch: { GetObject: [`${BATCH_FILES.results('*')}/*`] } },
});
