import { BATCH_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'download_batch_results',
  description: 'Brings the results of one batch into parts',
  memory_mb: 1_024,
  temporary_folder_mb: 2_048,
  table: { rows: ['GetItem', 'UpdateItem'], GSI3: ['Query'] },
  objects: {
    batch: {
      GetObject: [BATCH_FILES.plan('*'), BATCH_FILES.requests('*')],
      PutObject: [BATCH_FILES.requests('*'), `${BATCH_FILES.results('*')}/*`],
    },
  },
  vendors: ['openai'],
  variables: ['EMBEDDING_DIMENSIONS'],
});
