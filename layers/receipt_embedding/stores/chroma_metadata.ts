import type { LineMetadata, StoredMetadata, VectorMetadata } from './vector_store.ts';

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
 *
 * @example
 * ```ts
 * chromaMetadata({ receipt_id: 1, text: 'MILK', validated_labels: ['PRODUCT_NAME'], invalid_labels: [], … });
 * // { receipt_id: '1', merchant_name: '', text: 'MILK', validated_labels: ',PRODUCT_NAME,', invalid_labels: '', … }
 * ```
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

/** The labels of a `,A,B,`. */
function labelsOf(text: string): string[] {
  return text.split(',').filter((label) => label !== '');
}

/** Of a record as Chroma holds it: other systems may have written other types beside ours. */
export type ChromaMetadata = Readonly<Record<string, unknown>>;

/**
 * The form that all stores give back, of a record of Chroma's: receipt_id a number, labels a list, without what is unknown.
 *
 * @param document the record's text, where its metadata have none.
 * @example
 * ```ts
 * storedMetadata({ receipt_id: '1', merchant_name: '', validated_labels: ',DATE,TIME,', invalid_labels: '' }, 'MILK');
 * // { receipt_id: 1, validated_labels: ['DATE', 'TIME'], text: 'MILK' }
 * ```
 */
export function storedMetadata(
  metadata: ChromaMetadata | null,
  document: string | null,
): StoredMetadata {
  const known: Record<string, StoredMetadata[string]> = {};
  for (const [name, value] of Object.entries(metadata ?? {})) {
    const stored = storedValue(name, value);
    if (stored !== undefined) known[name] = stored;
  }
  if (document !== null) known['text'] ??= document;
  return known;
}

function storedValue(name: string, value: unknown): StoredMetadata[string] | undefined {
  switch (name) {
    case 'receipt_id': {
      const id = Number(value);
      return Number.isSafeInteger(id) ? id : undefined;
    }
    case 'validated_labels':
    case 'invalid_labels': {
      const labels = typeof value === 'string' ? labelsOf(value) : value;
      return isTextList(labels) && labels.length > 0 ? labels : undefined;
    }
    case 'merchant_name':
      return typeof value === 'string' && value !== '' ? value : undefined;
    default:
      return typeof value === 'string' ||
        typeof value === 'number' ||
        typeof value === 'boolean' ||
        isTextList(value)
        ? value
        : undefined;
  }
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** In V8 for long, but not in TypeScript's library yet. */
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };

/**
 * A number that `JSON.stringify` prints as Chroma reads a float: `1` would be an int to it, and its filter on a float finds ints
 * that differ only in the fraction.
 */
export function printedFloat(value: number): unknown {
  return Number.isSafeInteger(value) ? rawJSON(`${String(value)}.0`) : value;
}

/**
 * The same metadata with its floats printed so, and its texts without lone surrogates: Chroma's reader refuses those, and with them
 * every record of a request.
 */
export function printedFloats(
  metadata: Readonly<Record<string, string | number>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => {
      if (typeof value === 'string') return [name, value.toWellFormed()];
      return [name, CHROMA_FLOAT_FIELDS.has(name) ? printedFloat(value) : value];
    }),
  );
}
