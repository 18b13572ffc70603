import type { ServiceRequest, ServiceResponse } from '../http/service.ts';
import { invalidRequest } from './api_error.ts';

/** What answers one method of one path. */
export interface Route {
  readonly method: string;
  readonly path: string;
  /** @throws ApiError for an answer that is an error, ConnectionCut for none at all. */
  readonly answer: (request: ServiceRequest) => Promise<ServiceResponse> | ServiceResponse;
}

/** @throws ApiError 404 where no route has the request's method and path. */
export function findRoute(routes: readonly Route[], request: ServiceRequest): Route {
  const route = routes.find(
    ({ method, path }) => method === request.method && path === request.path,
  );
  if (route === undefined) {
    throw invalidRequest(`Invalid URL (${request.method} ${request.path})`, { status: 404 });
  }
  return route;
}
