import { type RefusedFault, retryAfterHeader } from 'embedded-aws/http/faults';
import { ApiError } from '../answers.ts';

/** The `error` object of an OpenAI error answer, with the vendor's own field names. */
export interface ErrorDetail {
  readonly message: string;
  readonly type: string;
  /** The request field that is to blame, where OpenAI names one. */
  readonly param: string | null;
  readonly code: string | null;
}

/** A minute's allowance of an account in OpenAI's second usage tier. It is reported, not enforced: use faults for that. */
const REQUESTS_PER_MINUTE = 5_000;
const TOKENS_PER_MINUTE = 1_000_000;

/**
 * The headers of an embeddings answer. The allowance grows back evenly, so that under light use all of it is left except
 * for this one request.
 */
export function rateLimitHeaders(tokens: number): Readonly<Record<string, string>> {
  return {
    'x-ratelimit-limit-requests': `${REQUESTS_PER_MINUTE}`,
    'x-ratelimit-limit-tokens': `${TOKENS_PER_MINUTE}`,
    'x-ratelimit-remaining-requests': `${REQUESTS_PER_MINUTE - 1}`,
    'x-ratelimit-remaining-tokens': `${TOKENS_PER_MINUTE - tokens}`,
    'x-ratelimit-reset-requests': `${Math.ceil(60_000 / REQUESTS_PER_MINUTE)}ms`,
    'x-ratelimit-reset-tokens': `${Math.ceil((tokens * 60_000) / TOKENS_PER_MINUTE)}ms`,
  };
}

/** An error as OpenAI words it, for what is not said of it: from its code, else from its status. */
export function errorDetail(
  status: number,
  said: { readonly [Field in keyof ErrorDetail]?: ErrorDetail[Field] | undefined } = {},
): ErrorDetail {
  const usual = usualDetail(status, said.code ?? null);
  return {
    message: said.message ?? usual.message,
    type: said.type ?? usual.type,
    param: said.param ?? null,
    code: said.code === undefined ? (usual.code ?? null) : said.code,
  };
}

function usualDetail(
  status: number,
  code: string | null,
): Pick<ErrorDetail, 'message' | 'type'> & { readonly code?: string } {
  if (code === 'insufficient_quota') {
    return {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      type: 'insufficient_quota',
    };
  }
  if (status === 429 && (code === null || code === 'rate_limit_exceeded')) {
    return {
      message: `Rate limit reached on requests per min (RPM): Limit ${REQUESTS_PER_MINUTE}, Used ${REQUESTS_PER_MINUTE}, Requested 1.`,
      type: 'requests',
      code: 'rate_limit_exceeded',
    };
  }
  if (status >= 500) {
    return {
      message: 'The server had an error while processing your request. Sorry about that!',
      type: 'server_error',
    };
  }
  return { message: `Refused with ${status}.`, type: 'invalid_request_error' };
}

/** The error answer that a fault asks for. */
export function refusal(fault: RefusedFault): ApiError {
  return apiError(fault.status, errorDetail(fault.status, fault), retryAfterHeader(fault));
}

/** A request that can't succeed as it is. Its status is 400 unless `about` says otherwise. */
export function invalidRequest(
  message: string,
  about: { param?: string; code?: string; status?: number } = {},
): ApiError {
  const { status = 400, ...said } = about;
  return apiError(status, errorDetail(status, { message, ...said }));
}

/** A request without a field that it must have. */
export function missingParameter(param: string): ApiError {
  return invalidRequest(`Missing required parameter: '${param}'.`, {
    param,
    code: 'missing_required_parameter',
  });
}

export function apiError(
  status: number,
  detail: ErrorDetail,
  headers?: Readonly<Record<string, string>>,
): ApiError {
  return new ApiError(status, detail.message, { error: detail }, headers);
}
