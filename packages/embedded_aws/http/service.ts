import type { IncomingHttpHeaders } from 'node:http';

/** One request to a stand-in, its body read whole. `path` is still percent-encoded. */
export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request whose body has not come yet. */
export type RequestHead = Omit<ServiceRequest, 'body'>;

/** What is said to a request's head: it is refused, or its body may have so many bytes. */
export type Admission =
  | { readonly refusal: ServiceResponse }
  | { readonly maxBytes: number; readonly tooLarge: () => ServiceResponse };

export interface ServiceResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Whole, or in chunks that are asked for one by one, each once the one before it is on its way: a body of any size
   * needs the memory of a chunk. Chunks may end by throwing ConnectionCut, which cuts the answer there.
   */
  readonly body?: Buffer | string | Iterable<Buffer>;
}

/** An answer whose body is there whole. */
export interface WholeResponse extends ServiceResponse {
  readonly body?: Buffer | string;
}

/** What a stand-in is: an answer for each request. It never throws; its vendor's errors are answers too. */
export type Service = (request: ServiceRequest) => Promise<ServiceResponse>;
