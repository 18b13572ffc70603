import { invalidArgument } from './api_error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What Pinecone calls the namespace that has no name. */
const DEFAULT_NAMESPACE = '__default__';

/** @throws ApiError 400 for a body that is no JSON object. */
export function parseBody(body: Buffer): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch {
    throw invalidArgument('the request body is no JSON');
  }
  if (!isObject(parsed)) throw invalidArgument('the request body is no JSON object');
  return parsed;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** @throws ApiError 400 for a namespace that is no string. */
export function namespaceOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return DEFAULT_NAMESPACE;
  if (typeof value === 'string') return value;
  throw invalidArgument('namespace must be a string');
}
