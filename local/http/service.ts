import type { IncomingHttpHeaders } from 'node:http';

/** One request to a stand-in, its body read whole. `path` is still percent-encoded. */
export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ServiceResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** What a stand-in is: an answer for each request. It never throws; its vendor's errors are answers too. */
export type Service = (request: ServiceRequest) => Promise<ServiceResponse>;
