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
  });
}
