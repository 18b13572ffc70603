import { invalidArgument } from './api_error.ts';
import { type JsonObject, namespaceOf } from './json_body.ts';
import { readFilter } from './metadata_filter.ts';
import { nearestVectors } from './nearest_vectors.ts';
import type { VectorIndex } from './vector_index.ts';
import { checkId, type IndexedVector, readValues } from './vector_record.ts';
import { type IndexSettings, MAX_IDS } from './write_operations.ts';

const MAX_TOP_K = 10_000;
const MAX_LISTED = 100;
const usage = { readUnits: 1 };

/** `POST /query`, by a vector or by the id of one; an id that is not there finds nothing. */
export function query(index: VectorIndex, { dimension }: IndexSettings, body: JsonObject): object {
  const namespace = namespaceOf(body['namespace']);
  const topK = body['topK'];
  if (typeof topK !== 'number' || !Number.isInteger(topK) || topK < 1 || topK > MAX_TOP_K) {
    throw invalidArgument(`topK must be an integer from 1 to ${MAX_TOP_K}`);
  }
  const vector =
    body['id'] === undefined
      ? readValues(body['vector'], dimension)
      : index.get(namespace, checkId(body['id']))?.values;
  const passes = readFilter(body['filter']);
  const candidates = [...index.records(namespace)].filter(({ metadata }) => passes(metadata ?? {}));
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

/** `GET /vectors/fetch?ids=…&ids=…&namespace=…`: those that are there. */
export function fetch(index: VectorIndex, parameters: URLSearchParams): object {
  const namespace = namespaceOf(parameters.get('namespace'));
  const ids = parameters.getAll('ids');
  if (ids.length === 0 || ids.length > MAX_IDS) {
    throw invalidArgument(`ids must be 1 to ${MAX_IDS} ids`);
  }
  const found = ids
    .map((id) => index.get(namespace, id))
    .filter((record) => record !== undefined)
    .map((record) => [record.id, printed(record)] as const);
  return { vectors: Object.fromEntries(found), namespace, usage };
}

/** `GET /vectors/list?prefix=…&limit=…&paginationToken=…&namespace=…`: ids in order, 100 at most at once. */
export function list(index: VectorIndex, parameters: URLSearchParams): object {
  const namespace = namespaceOf(parameters.get('namespace'));
  const limit = Number(parameters.get('limit') ?? MAX_LISTED);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED) {
    throw invalidArgument(`limit must be an integer from 1 to ${MAX_LISTED}`);
  }
  const prefix = parameters.get('prefix') ?? '';
  const after = Buffer.from(parameters.get('paginationToken') ?? '', 'base64url').toString();
  const ids = [...index.records(namespace)]
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
export function describeStats(
  index: VectorIndex,
  { dimension }: IndexSettings,
  body: JsonObject,
): object {
  if (body['filter'] !== undefined) {
    throw invalidArgument('Serverless indexes do not support describing index stats with a filter');
  }
  const counts = index.counts();
  return {
    namespaces: Object.fromEntries(
      [...counts].map(([name, vectorCount]) => [name, { vectorCount }]),
    ),
    dimension,
    indexFullness: 0,
    totalVectorCount: [...counts.values()].reduce((total, count) => total + count, 0),
    metric: 'cosine',
    vectorType: 'dense',
  };
}

function printed({ id, values, metadata }: IndexedVector): {
  readonly id: string;
  readonly values: readonly number[];
  readonly metadata: unknown;
} {
  return { id, values: [...(values ?? [])], metadata };
}
