import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

/**
 * So many receipts may be named in an input: each takes some 75 bytes there, and a state's payload ends at 256 KiB. They also fit into the
 * answer.
 */
export const MOST_NAMED_RECEIPTS = 1_000;

export const declaration = declareFunction({
  name: 'find_receipts_realtime',
  description: 'Lists the receipts to embed',
  memory_mb: 1_024,
  // The list, some 75 bytes a receipt: 25 million of them.
  temporary_folder_mb: 2_048,
  table: { rows: ['BatchGetItem'], GSI1: ['Query'], GSITYPE: ['Query'] },
  objects: { chromadb: { PutObject: [EXECUTION_FILES.realtime.manifest('*')] } },
});
