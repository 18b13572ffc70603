import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'start_arrivals',
  description: 'Starts the realtime workflow for receipts that have become quiet',
  memory_mb: 512,
  timeout_s: 60,
  table: { rows: ['BatchGetItem', 'DeleteItem'] },
  fed_by: 'arrivals',
  starts: ['realtime'],
});
