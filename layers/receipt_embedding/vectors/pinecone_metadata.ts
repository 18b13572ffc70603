import type { RecordMetadata } from '@pinecone-database/pinecone';
import type { VectorMetadata } from './vector_metadata.ts';

/**
 * Metadata in the form that Pinecone's readers filter on (docs/data_model.md §2): receipt_id a number, label lists as
 * lists of strings. What nobody knows is left out, an empty list and an unknown merchant too: Pinecone takes no null.
 */
export function pineconeMetadata(metadata: VectorMetadata): RecordMetadata {
  const known: RecordMetadata = {};
  for (const [name, value] of Object.entries(metadata) as [
    string,
    string | number | readonly string[] | undefined,
  ][]) {
    if (value === undefined || (name === 'merchant_name' && value === '')) continue;
    if (typeof value === 'string' || typeof value === 'number') known[name] = value;
    else if (value.length > 0) known[name] = [...value];
  }
  return known;
}
