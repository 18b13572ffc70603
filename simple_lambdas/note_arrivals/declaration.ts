import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'note_arrivals',
  description: 'Notes which receipts have changed, from the table’s stream',
  memory_mb: 512,
  timeout_s: 60,
  table: { rows: ['UpdateItem'] },
  fed_by: 'table_stream',
  sends_to: ['arrivals'],
});
