import OpenAI, {
  APIConnectionError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import {
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
  UpstreamUnavailable,
} from '../errors.ts';

/**
 * OpenAI's client: two retries of its own, which honour Retry-After; each try may take a minute. That fits the 15 minutes of
 * a function; longer waiting is the state machine's.
 */
export function createOpenAIClient(options: {
  readonly apiKey: string;
  readonly baseURL: string | undefined;
}): OpenAI {
  return new OpenAI({
    apiKey: options.apiKey,
    ...(options.baseURL === undefined ? {} : { baseURL: options.baseURL }),
    maxRetries: 2,
    timeout: 60_000,
    fetch: fetchWithFinalQuota,
  });
}

/**
 * An account that has no quota left answers 429 too, like one that is merely too fast, but no later try helps: the client
 * is told so by the header that it obeys.
 */
async function fetchWithFinalQuota(
  ...request: Parameters<typeof globalThis.fetch>
): Promise<Response> {
  const response = await globalThis.fetch(...request);
  if (response.status !== 429) return response;
  const body = await response.text();
  const headers = new Headers(response.headers);
  if (body.includes('"insufficient_quota"')) headers.set('x-should-retry', 'false');
  return new Response(body, { status: response.status, headers });
}

/**
 * OpenAI's error as one of the layer's own: theirs all have the name "Error", which Step Functions can't tell apart.
 * Their message is left out where it may quote an input or a part of the key.
 */
export function translateOpenAIError(error: unknown): unknown {
  const options = { cause: error };
  if (isBrokenAnswer(error)) {
    return new UpstreamUnavailable("OpenAI's answer broke off or can not be read", options);
  }
  if (!(error instanceof APIError)) return error;
  const request = error.requestID == null ? '' : `, request ${error.requestID}`;
  const what = `OpenAI answered ${error.status ?? 'nothing'}${error.code == null ? '' : ` ${error.code}`}${request}`;
  if (error instanceof APIConnectionError || error instanceof APIUserAbortError) {
    return new UpstreamUnavailable('OpenAI can not be reached or took too long', options);
  }
  if (error instanceof RateLimitError) {
    return error.code === 'insufficient_quota'
      ? new QuotaExhausted(
          `${what}: the account has no quota left; check its plan and billing`,
          options,
        )
      : new RateLimited(what, options);
  }
  if (
    error instanceof AuthenticationError ||
    error instanceof PermissionDeniedError ||
    error instanceof NotFoundError
  ) {
    return new InvalidConfiguration(
      `${what}: check the API key, the base URL and the embedding model`,
      options,
    );
  }
  if (
    typeof error.status === 'number' &&
    error.status < 500 &&
    error.status !== 408 &&
    error.status !== 409
  ) {
    const param = error.param == null ? '' : ` (parameter ${error.param})`;
    return new InvalidRequest(`${what}${param}`, options);
  }
  return new UpstreamUnavailable(what, options);
}

/** What fetch throws when an answer breaks off (a TypeError with the reason as its cause) or is no JSON: the SDK hands it on. */
function isBrokenAnswer(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof TypeError && error.cause !== undefined);
}
