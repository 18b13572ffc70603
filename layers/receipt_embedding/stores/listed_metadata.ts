import { quoted } from '../embeddings/quotes.ts';
import type { LineMetadata, StoredMetadata, VectorMetadata, WordMetadata } from './vector_store.ts';

/** Metadata as a store takes them that knows lists, and knows no null. */
export type ListedMetadata = Record<string, string | number | string[]>;

/**
 * Metadata in the form that readers of Pinecone and S3 Vectors filter on (docs/data_model.md §2): receipt_id a number, label lists as
 * lists of strings. What nobody knows is left out, an empty list and an unknown merchant too.
 *
 * @example
 * ```ts
 * listedMetadata({ receipt_id: 1, text: 'MILK', validated_labels: ['PRODUCT_NAME'], invalid_labels: [], … });
 * // { receipt_id: 1, text: 'MILK', validated_labels: ['PRODUCT_NAME'], … }
 * ```
 */
export function listedMetadata(metadata: VectorMetadata): ListedMetadata {
  const known: ListedMetadata = {};
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

type Field = keyof LineMetadata | keyof WordMetadata;

/**
 * What a record's metadata gives up, one after the other, until it is within the limit (docs/data_model.md §5): what quotes others
 * first, then what no reader filters on, then what they do, the labels last.
 */
const DISPENSABLE: readonly {
  readonly field: Field;
  /** Characters that may stay, `<EDGE>` at least. @default none: the field is left out, since a part of it is equal to nothing. */
  readonly keep?: number;
}[] = [
  { field: 'prev_line', keep: 50 },
  { field: 'next_line', keep: 50 },
  { field: 'left', keep: 50 },
  { field: 'right', keep: 50 },
  { field: 'label_proposed_by' },
  { field: 'normalized_url' },
  { field: 'normalized_full_address' },
  { field: 'invalid_labels' },
  { field: 'validated_labels' },
  { field: 'prev_line', keep: 6 },
  { field: 'next_line', keep: 6 },
  { field: 'left', keep: 6 },
  { field: 'right', keep: 6 },
  { field: 'merchant_name' },
];

/**
 * The metadata as it is, where a store takes it; else without as much as it takes. What still is over the limit then is returned
 * over it.
 *
 * @param fits whether it is within the store's limit.
 * @param may whether giving a field up helps. @default any
 */
export function fittingMetadata(
  metadata: ListedMetadata,
  fits: (metadata: ListedMetadata) => boolean,
  may: (field: Field) => boolean = () => true,
): ListedMetadata {
  if (fits(metadata)) return metadata;
  let shortened = metadata;
  for (const { field, keep } of DISPENSABLE) {
    const { [field]: value, ...rest } = shortened;
    if (value === undefined || !may(field)) continue;
    shortened =
      keep !== undefined && typeof value === 'string'
        ? { ...shortened, [field]: quoted(value, keep) }
        : rest;
    if (fits(shortened)) return shortened;
  }
  return shortened;
}

/**
 * Whether what a store gives back is this metadata, whole or with what was given up for the store's limits.
 *
 * @see fittingMetadata
 */
export function abbreviates(stored: StoredMetadata, metadata: VectorMetadata): boolean {
  const whole = listedMetadata(metadata);
  return [...new Set([...Object.keys(whole), ...Object.keys(stored)])].every((name) => {
    const { [name]: value } = whole;
    const { [name]: there } = stored;
    if (typeof value === 'string' && value.toWellFormed() === there) return true;
    if (JSON.stringify(value) === JSON.stringify(there)) return true;
    const given = DISPENSABLE.filter(({ field }) => field === name);
    return given.some(({ keep }) =>
      keep === undefined || typeof value !== 'string'
        ? there === undefined
        : there === quoted(value, keep),
    );
  });
}
