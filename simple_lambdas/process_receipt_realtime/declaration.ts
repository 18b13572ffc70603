import { deltaKey } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'process_receipt_realtime',
  description: 'Embeds one receipt',
  memory_mb: 2_048,
  stores: { operations: ['upsert', 'remove'] },
  table: { rows: ['Query', 'GetItem', 'PutItem', 'PartiQLUpdate'], GSI3: ['Query'] },
  objects: {
    chromadb: {
      GetObject: [deltaKey('lines', '*'), deltaKey('words', '*')],
      PutObject: [deltaKey('lines', '*'), deltaKey('words', '*')],
    },
  },
  tells_missing: ['chromadb'],
  vendors: ['openai'],
  optional_vendors: ['google_places', 'chroma'],
  variables: ['EMBEDDING_MODEL', 'EMBEDDING_DIMENSIONS'],
});
