import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'get_batch_status',
  description: 'Asks OpenAI for the status of one batch',
  memory_mb: 1_024,
  table: { rows: ['GetItem', 'UpdateItem'] },
  vendors: ['openai'],
});
