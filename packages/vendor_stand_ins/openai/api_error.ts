import type { ServiceResponse } from 'embedded-aws/http/service';

/** The `error` object of an OpenAI error answer, with the vendor's own field names. */
export interface ErrorDetail {
  readonly message: string;
  readonly type: string;
  /** The request field that is to blame, where OpenAI names one. */
  readonly param: string | null;
  readonly code: string | null;
}

/** An answer that is an error: thrown where the request turns out wrong, answered by the stand-in. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly detail: ErrorDetail;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: ErrorDetail, headers: Readonly<Record<string, string>> = {}) {
    super(detail.message);
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }

  toResponse(): ServiceResponse {
    return {
      status: this.status,
      headers: { 'content-type': 'application/json', ...this.headers },
      body: JSON.stringify({ error: this.detail }),
    };
  }
}

/** A request that can never succeed as it is. Status 400 unless told otherwise. */
export function invalidRequest(
  message: string,
  about: { param?: string; code?: string; status?: number } = {},
): ApiError {
  return new ApiError(about.status ?? 400, {
    message,
    type: 'invalid_request_error',
    param: about.param ?? null,
    code: about.code ?? null,
  });
}

/** A request without a field that it must have. */
export function missingParameter(param: string): ApiError {
  return invalidRequest(`Missing required parameter: '${param}'.`, {
    param,
    code: 'missing_required_parameter',
  });
}
