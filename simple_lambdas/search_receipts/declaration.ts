import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'search_receipts',
  description: 'Finds the lines and words that are nearest to a question',
  // It takes 141 MB (npm run bench:search); the rest is for the CPU that comes with it, which a person waits for.
  memory_mb: 1_024,
  timeout_s: 30,
  stores: { operations: ['query', 'fetch'] },
  vendors: ['openai'],
  variables: ['EMBEDDING_MODEL', 'EMBEDDING_DIMENSIONS'],
});
