import type { ServiceRequest } from 'embedded-aws/http/service';
import { ApiError } from './api_error.ts';
import type { PineconeOperation } from './faults.ts';
import { isObject, type JsonObject } from './json_body.ts';

const PATHS: Readonly<Record<string, PineconeOperation['name']>> = {
  'POST /vectors/upsert': 'upsert',
  'POST /vectors/delete': 'delete',
  'GET /vectors/fetch': 'fetch',
  'GET /vectors/list': 'list',
  'POST /query': 'query',
  'POST /describe_index_stats': 'stats',
};

/** @throws ApiError 404 for what this stand-in, or Pinecone, doesn't know. */
export function operationNameOf({ method, path }: ServiceRequest): PineconeOperation['name'] {
  const name = PATHS[`${method} ${path}`];
  if (name !== undefined) return name;
  if (method === 'GET' && path.startsWith('/indexes/')) return 'describe_index';
  throw new ApiError(404, `no such operation: ${method} ${path}`);
}

/** A request as faults and the log see it: whatever is in it, good or not. */
export function describeOperation(
  name: PineconeOperation['name'],
  body: JsonObject,
  query: URLSearchParams,
): PineconeOperation {
  const named = body['namespace'] ?? query.get('namespace');
  const vectors = body['vectors'];
  return {
    name,
    namespace: typeof named === 'string' ? named : undefined,
    ids: Array.isArray(vectors) ? vectors.map(idOf) : [],
  };
}

function idOf(vector: unknown): string {
  const id = isObject(vector) ? vector['id'] : undefined;
  return typeof id === 'string' ? id : '';
}
