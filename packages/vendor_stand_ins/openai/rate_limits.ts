import { ApiError } from './api_error.ts';

/** A minute's allowance of an account in OpenAI's second usage tier. Reported, never enforced: faults do that. */
const requestsPerMinute = 5_000;
const tokensPerMinute = 1_000_000;

/**
 * The headers that go with an answer. The allowance grows back evenly, so that under light use what is left is the
 * whole of it but this one request.
 */
export function rateLimitHeaders(tokens: number): Readonly<Record<string, string>> {
  return {
    'x-ratelimit-limit-requests': `${requestsPerMinute}`,
    'x-ratelimit-limit-tokens': `${tokensPerMinute}`,
    'x-ratelimit-remaining-requests': `${requestsPerMinute - 1}`,
    'x-ratelimit-remaining-tokens': `${tokensPerMinute - tokens}`,
    'x-ratelimit-reset-requests': `${Math.ceil(60_000 / requestsPerMinute)}ms`,
    'x-ratelimit-reset-tokens': `${Math.ceil((tokens * 60_000) / tokensPerMinute)}ms`,
  };
}

/** Too fast: worth another try later. `retryAfter` in seconds. */
export function rateLimited(
  model: string,
  tokens: number,
  retryAfter: number | undefined,
): ApiError {
  return new ApiError(
    429,
    {
      message: `Rate limit reached for ${model} on tokens per min (TPM): Limit ${tokensPerMinute}, Used ${tokensPerMinute}, Requested ${tokens}.`,
      type: 'tokens',
      param: null,
      code: 'rate_limit_exceeded',
    },
    {
      ...rateLimitHeaders(tokens),
      'x-ratelimit-remaining-tokens': '0',
      ...retryAfterHeader(retryAfter),
    },
  );
}

/** Too many requests of any kind, where no tokens are counted. `retryAfter` in seconds. */
export function requestLimitReached(retryAfter: number | undefined): ApiError {
  return new ApiError(
    429,
    {
      message: `Rate limit reached on requests per min (RPM): Limit ${requestsPerMinute}, Used ${requestsPerMinute}, Requested 1.`,
      type: 'requests',
      param: null,
      code: 'rate_limit_exceeded',
    },
    retryAfterHeader(retryAfter),
  );
}

/** The money is used up: no later try helps until somebody pays. */
export function quotaExhausted(retryAfter: number | undefined): ApiError {
  return new ApiError(
    429,
    {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      type: 'insufficient_quota',
      param: null,
      code: 'insufficient_quota',
    },
    retryAfterHeader(retryAfter),
  );
}

/** OpenAI's own failure, not the caller's. */
export function serverError(status: number, retryAfter?: number): ApiError {
  return new ApiError(
    status,
    {
      message: 'The server had an error while processing your request. Sorry about that!',
      type: 'server_error',
      param: null,
      code: null,
    },
    retryAfterHeader(retryAfter),
  );
}

function retryAfterHeader(seconds: number | undefined): Readonly<Record<string, string>> {
  return seconds === undefined ? {} : { 'retry-after': `${seconds}` };
}
