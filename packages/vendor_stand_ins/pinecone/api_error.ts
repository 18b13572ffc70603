import type { ServiceResponse } from 'embedded-aws/http/service';

/** gRPC's codes, which Pinecone's data plane answers beside the HTTP status. */
const CODES = { 400: 3, 404: 5, 429: 8, 500: 13, 502: 14, 503: 14, 504: 4 } as const;

export type ErrorStatus = keyof typeof CODES;

/** An answer that is an error: thrown where a request turns out wrong, answered by the stand-in. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: ErrorStatus;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: ErrorStatus,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.headers = headers;
  }

  toResponse(): ServiceResponse {
    return {
      status: this.status,
      headers: { 'content-type': 'application/json', ...this.headers },
      body: JSON.stringify({ code: CODES[this.status], message: this.message, details: [] }),
    };
  }
}

/** A request that can never succeed as it is. */
export function invalidArgument(message: string): ApiError {
  return new ApiError(400, message);
}

/** A key that is missing or not the one: plain text, as Pinecone answers it before anything else. */
export const UNAUTHORIZED: ServiceResponse = {
  status: 401,
  headers: { 'content-type': 'text/plain', 'x-pinecone-auth-rejected-reason': 'Wrong API key' },
  body: 'Unauthorized',
};
