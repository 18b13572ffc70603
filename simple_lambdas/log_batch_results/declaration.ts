import { BATCH_FILES, deltaKey } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'log_batch_results',
  description: 'Writes the vectors of one part of the results to the log',
  memory_mb: 2_048,
  table: { rows: ['Query', 'GetItem', 'PutItem', 'UpdateItem'], GSI3: ['Query'] },
  objects: {
    chromadb: {
      GetObject: [deltaKey('lines', '*'), deltaKey('words', '*')],
      PutObject: [deltaKey('lines', '*'), deltaKey('words', '*')],
    },
    batch: {
      GetObject: [`${BATCH_FILES.results('*')}/*`],
      PutObject: [`${BATCH_FILES.results('*')}/*`],
    },
  },
  tells_missing: ['chromadb'],
  // It writes to none of them: it says which ones there are.
  stores: { operations: [] },
  variables: ['EMBEDDING_MODEL', 'EMBEDDING_DIMENSIONS', 'BATCH_COMPACTION_RUNS'],
});
