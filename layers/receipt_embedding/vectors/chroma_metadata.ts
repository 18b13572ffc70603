import type { LineMetadata, VectorMetadata } from './vector_metadata.ts';

/** The fields that are floats, also where they are whole, as a line that is not turned at all has 0.0 degrees. */
export const CHROMA_FLOAT_FIELDS: ReadonlySet<string> = new Set<keyof LineMetadata>([
  'x',
  'y',
  'width',
  'height',
  'confidence',
  'angle_degrees',
  'avg_word_confidence',
]);

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
