import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { invalidRequest } from './api_error.ts';

/** What answers one method of one path. */
export interface Route {
  readonly method: string;
  /** `{id}` stands for one segment of any content. */
  readonly path: string;
  /**
   * @param id the segment at `{id}`, decoded; "" in a path without it.
   * @throws ApiError for an answer that is an error, ConnectionCut for none at all.
   */
  readonly answer: (
    request: ServiceRequest,
    id: string,
  ) => Promise<ServiceResponse> | ServiceResponse;
}

/** @throws ApiError 404 where no route has the request's method and path. */
export function findRoute(
  routes: readonly Route[],
  request: ServiceRequest,
): () => Promise<ServiceResponse> | ServiceResponse {
  for (const route of routes) {
    const id = route.method === request.method ? match(route.path, request.path) : undefined;
    if (id !== undefined) return () => route.answer(request, id);
  }
  throw invalidRequest(`Invalid URL (${request.method} ${request.path})`, { status: 404 });
}

function match(pattern: string, path: string): string | undefined {
  const [before = '', after] = pattern.split('{id}');
  if (after === undefined) return pattern === path ? '' : undefined;
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined;
  const id = path.slice(before.length, path.length - after.length);
  if (id === '' || id.includes('/')) return undefined;
  try {
    return decodeURIComponent(id);
  } catch {
    return undefined;
  }
}
