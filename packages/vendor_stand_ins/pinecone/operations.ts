import type { ServiceRequest } from 'embedded-aws/http/service';
import { ApiError, type JsonObject } from '../answers.ts';
import { nearestVectors } from '../nearest_vectors.ts';
import { readFilter } from './metadata_filter.ts';
import {
  dataPlaneError,
  type IndexedVector,
  invalidArgument,
  isStringList,
  readId,
  readRecord,
  readValues,
  type VectorIndex,
} from './vector_index.ts';

/** Pinecone's limits of an upsert request. It says "2 MB": this is the smaller meaning, so whoever keeps it keeps both. */
const MAX_UPSERT_RECORDS = 1_000;
const MAX_UPSERT_BYTES = 2_000_000;

/** Its limits of a fetch, a delete, a query and a list. */
const MAX_IDS = 1_000;
const MAX_TOP_K = 10_000;
const MAX_LISTED = 100;

/** What Pinecone calls the namespace that has no name. */
const DEFAULT_NAMESPACE = '__default__';

const usage = { readUnits: 1 };

export interface IndexSettings {
  readonly indexName: string;
  readonly dimension: number;
  /** false: ids and metadata only, so that a large index fits into memory; queries find nothing then. */
  readonly keepVectors: boolean;
}

/** A request, and what it works on. */
export interface Call {
  readonly index: VectorIndex;
  readonly settings: IndexSettings;
  readonly request: ServiceRequest;
  /** Of the request; {} for a GET. */
  readonly body: JsonObject;
}

/**
 * What each operation answers with status 200.
 *
 * @throws ApiError for the first limit that is broken; nothing is written then.
 */
export const OPERATIONS = {
  upsert,
  query,
  fetch,
  list,
  delete: remove,
  stats: describeStats,
  describe_index: describeIndex,
} as const satisfies Record<string, (call: Call) => object>;

export type PineconeOperation = keyof typeof OPERATIONS;

/** `POST /vectors/upsert`: all of the records, or none. */
function upsert({ index, settings, request, body }: Call): object {
  const bytes = request.body.length;
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
  const records = vectors.map((vector) => readRecord(vector, settings.dimension));
  index.upsert(
    namespace,
    settings.keepVectors ? records : records.map((record) => ({ ...record, values: undefined })),
  );
  return { upsertedCount: records.length };
}

/** `POST /vectors/delete`, by ids, or all of a namespace. */
function remove({ index, body }: Call): object {
  const { ids, deleteAll } = body;
  const namespace = namespaceOf(body['namespace']);
  if (!isStringList(ids) && deleteAll !== true) {
    throw invalidArgument('ids or deleteAll must be given');
  }
  if (isStringList(ids) && ids.length > MAX_IDS) {
    throw invalidArgument(`At most ${MAX_IDS} ids can be deleted at once`);
  }
  // Of a query, a fetch or a list, Pinecone does not say so.
  if (!index.counts().has(namespace)) throw dataPlaneError(404, 'Namespace not found');
  index.delete(namespace, isStringList(ids) ? ids : undefined);
  return {};
}

/** `POST /query`, by a vector or by the id of one; an id that does not exist finds nothing. */
function query({ index, settings, body }: Call): object {
  const namespace = namespaceOf(body['namespace']);
  const topK = body['topK'];
  if (typeof topK !== 'number' || !Number.isInteger(topK) || topK < 1 || topK > MAX_TOP_K) {
    throw invalidArgument(`topK must be an integer from 1 to ${MAX_TOP_K}`);
  }
  const vector =
    body['id'] === undefined
      ? readValues(body['vector'], settings.dimension)
      : index.get(namespace, readId(body['id']))?.values;
  const passes = readFilter(body['filter']);
  const candidates = index.records(namespace).filter(({ metadata }) => passes(metadata ?? {}));
  const found = vector === undefined ? [] : nearestVectors(vector, candidates, topK);
  return {
    matches: found.map(({ candidate, score }) => ({
      id: candidate.id,
      score,
      values: body['includeValues'] === true ? printed(candidate).values : [],
      ...(body['includeMetadata'] === true ? { metadata: candidate.metadata } : {}),
    })),
    namespace,
    usage,
  };
}

/** `GET /vectors/fetch?ids=…&ids=…&namespace=…`: those that exist. */
function fetch({ index, request }: Call): object {
  const namespace = namespaceOf(request.query.get('namespace'));
  const ids = request.query.getAll('ids');
  if (ids.length === 0 || ids.length > MAX_IDS) {
    throw invalidArgument(`ids must be 1 to ${MAX_IDS} ids`);
  }
  const found = ids.map((id) => index.get(namespace, id)).filter((record) => record !== undefined);
  return {
    vectors: Object.fromEntries(found.map((record) => [record.id, printed(record)])),
    namespace,
    usage,
  };
}

/** `GET /vectors/list?prefix=…&limit=…&paginationToken=…&namespace=…`: ids in order, 100 at most at once. */
function list({ index, request }: Call): object {
  const parameters = request.query;
  const namespace = namespaceOf(parameters.get('namespace'));
  const limit = Number(parameters.get('limit') ?? MAX_LISTED);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED) {
    throw invalidArgument(`limit must be an integer from 1 to ${MAX_LISTED}`);
  }
  const prefix = parameters.get('prefix') ?? '';
  const after = Buffer.from(parameters.get('paginationToken') ?? '', 'base64url').toString();
  const ids = index
    .records(namespace)
    .map(({ id }) => id)
    .filter((id) => id.startsWith(prefix) && id > after)
    .sort();
  const page = ids.slice(0, limit);
  const last = page.at(-1);
  return {
    vectors: page.map((id) => ({ id })),
    ...(last !== undefined && ids.length > limit
      ? { pagination: { next: Buffer.from(last).toString('base64url') } }
      : {}),
    namespace,
    usage,
  };
}

/** `POST /describe_index_stats`. */
function describeStats({ index, settings: { dimension } }: Call): object {
  const counts = [...index.counts()];
  return {
    namespaces: Object.fromEntries(counts.map(([name, vectorCount]) => [name, { vectorCount }])),
    dimension,
    indexFullness: 0,
    totalVectorCount: counts.reduce((total, [, count]) => total + count, 0),
    metric: 'cosine',
    vectorType: 'dense',
  };
}

/** `GET /indexes/{name}`: Pinecone's control plane, which says where the index is: at the address that was asked. */
function describeIndex({ settings: { indexName, dimension }, request }: Call): object {
  const asked = decodeURIComponent(request.path.slice('/indexes/'.length));
  if (asked !== indexName) {
    throw controlPlaneError(404, 'NOT_FOUND', `Resource ${asked} not found`);
  }
  return {
    name: indexName,
    host: `http://${request.headers.host ?? ''}`,
    status: { ready: true, state: 'Ready' },
    deployment: { deployment_type: 'managed', cloud: 'aws', region: 'us-east-1' },
    schema: { fields: { _values: { type: 'dense_vector', dimension, metric: 'cosine' } } },
    deletion_protection: 'disabled',
  };
}

/** An error in the form of Pinecone's control plane, whose codes are names. */
export function controlPlaneError(
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): ApiError {
  return new ApiError(status, message, { error: { code, message }, status }, headers);
}

/** @throws ApiError 400 for a namespace that is no string. */
function namespaceOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return DEFAULT_NAMESPACE;
  if (typeof value === 'string') return value;
  throw invalidArgument('namespace must be a string');
}

function printed({ id, values, metadata }: IndexedVector): {
  readonly id: string;
  readonly values: readonly number[];
  readonly metadata: unknown;
} {
  return { id, values: [...(values ?? [])], metadata };
}
