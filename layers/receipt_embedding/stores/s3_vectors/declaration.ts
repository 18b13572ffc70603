import { z } from 'zod';
import type { EmbeddingModel } from '../../embeddings/embedder.ts';
import type { StoreDeclaration, VectorCollection } from '../vector_store.ts';

/** What a function of this store needs. */
export const S3_VECTORS = {
  variables: {
    S3_VECTORS_BUCKET_ARN: z
      .string()
      .regex(/^arn:[a-z0-9-]+:s3vectors:[a-z0-9-]+:\d{12}:bucket\/[a-z0-9.-]{3,63}$/),
  },
  optional_variables: {
    /** What the indexes' names end with, so that a stack that returns to a model gets new ones. */
    S3_VECTORS_INDEX_SUFFIX: z.string().regex(/^[a-z0-9]{1,20}$/),
  },
  vector_actions: {
    upsert: ['s3vectors:PutVectors'],
    remove: ['s3vectors:DeleteVectors'],
    // With a filter, or with metadata in the answer, a query needs both (else 403).
    query: ['s3vectors:QueryVectors', 's3vectors:GetVectors'],
    fetch: ['s3vectors:GetVectors'],
  },
} as const satisfies StoreDeclaration;

/**
 * The name of an index. It carries what can't be changed later: another model has other indexes, and the old ones stay.
 *
 * @param suffix the stack's own. @default none
 * @example
 * ```ts
 * indexName('lines', { model: 'text-embedding-3-small', dimensions: 1_536 }, '1a2b3c4d'); // 'lines-text-embedding-3-small-1536-1a2b3c4d'
 * ```
 */
export function indexName(
  collection: VectorCollection,
  { model, dimensions }: EmbeddingModel,
  suffix?: string,
): string {
  return [collection, model, dimensions, ...(suffix === undefined ? [] : [suffix])].join('-');
}

/** The ARN of a collection's index. @param bucketArn of the vector bucket. */
export function indexArn(
  bucketArn: string,
  collection: VectorCollection,
  model: EmbeddingModel,
  suffix?: string,
): string {
  return `${bucketArn}/index/${indexName(collection, model, suffix)}`;
}

/** Metadata that no reader filters on, at most 10 keys; an index never changes them (docs/data_model.md §7). */
export const NON_FILTERABLE_KEYS = [
  'text',
  'prev_line',
  'next_line',
  'left',
  'right',
  'normalized_full_address',
  'label_proposed_by',
  'label_validated_at',
] as const;

/** An index's settings beside its name and dimension; none of them ever changes. */
export const INDEX_SETTINGS = { dataType: 'float32', distanceMetric: 'cosine' } as const;
