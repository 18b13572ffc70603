import OpenAI from 'openai';

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
