import { invalidArgument } from './api_error.ts';
import { isStringList, type JsonObject, namespaceOf } from './json_body.ts';
import { readFilter } from './metadata_filter.ts';
import type { VectorIndex } from './vector_index.ts';
import { readRecord } from './vector_record.ts';

/** Pinecone's limits of an upsert request. It says "2 MB": the smaller meaning is held up, so that who keeps it keeps both. */
export const MAX_UPSERT_RECORDS = 1_000;
export const MAX_UPSERT_BYTES = 2_000_000;

/** And of a fetch or a delete. */
export const MAX_IDS = 1_000;

export interface IndexSettings {
  readonly dimension: number;
  /** false: ids and metadata only, so that a large index fits into memory; queries find nothing then. */
  readonly keepVectors: boolean;
}

/**
 * `POST /vectors/upsert`: all of the records, or none.
 *
 * @throws ApiError 400 for the first limit that is broken.
 */
export function upsert(
  index: VectorIndex,
  { dimension, keepVectors }: IndexSettings,
  { body, bytes }: { readonly body: JsonObject; readonly bytes: number },
): { readonly upsertedCount: number } {
  if (bytes > MAX_UPSERT_BYTES) {
    throw invalidArgument(
      `Request size ${bytes} bytes exceeds the maximum supported size of ${MAX_UPSERT_BYTES} bytes`,
    );
  }
  const vectors = body['vectors'];
  if (!Array.isArray(vectors) || vectors.length === 0) {
    throw invalidArgument('vectors must hold at least one record');
  }
  if (vectors.length > MAX_UPSERT_RECORDS) {
    throw invalidArgument(`Number of vectors exceeds the limit of ${MAX_UPSERT_RECORDS}`);
  }
  const namespace = namespaceOf(body['namespace']);
  const records = vectors.map((vector) => readRecord(vector, dimension));
  index.upsert(
    namespace,
    keepVectors ? records : records.map((record) => ({ ...record, values: undefined })),
  );
  return { upsertedCount: records.length };
}

/** `POST /vectors/delete`, by ids, by a filter, or all of a namespace. */
export function remove(index: VectorIndex, body: JsonObject): object {
  const namespace = namespaceOf(body['namespace']);
  index.delete(namespace, idsToDelete(index, namespace, body));
  return {};
}

function idsToDelete(index: VectorIndex, namespace: string, body: JsonObject): readonly string[] {
  const { ids, filter, deleteAll } = body;
  if (isStringList(ids)) {
    if (ids.length > MAX_IDS)
      throw invalidArgument(`At most ${MAX_IDS} ids can be deleted at once`);
    return ids;
  }
  if (filter === undefined && deleteAll !== true) {
    throw invalidArgument('ids, a filter or deleteAll must be given');
  }
  const passes = readFilter(filter);
  return [...index.records(namespace)]
    .filter(({ metadata }) => passes(metadata ?? {}))
    .map(({ id }) => id);
}
