import type { VectorMetadata } from './vector_metadata.ts';

/**
 * Metadata in the form that Chroma's readers filter on: receipt_id a string, label lists `,A,B,` (so that
 * `,A,` finds a label whole) or `""`, an unknown merchant `""`.
 */
export function chromaMetadata(metadata: VectorMetadata): Record<string, string | number> {
  const { receipt_id, merchant_name = '', ...rest } = metadata;
  const flat: Record<string, string | number> = { receipt_id: String(receipt_id), merchant_name };
  for (const [name, value] of Object.entries(rest) as [string, string | number | string[]][]) {
    flat[name] = Array.isArray(value) ? delimited(value) : value;
  }
  return flat;
}

function delimited(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `,${labels.join(',')},`;
}
