import type { z } from 'zod';
import {
  InvalidConfiguration,
  InvalidRequest,
  RateLimited,
  UpstreamUnavailable,
} from '../errors.ts';

export type Fetch = typeof globalThis.fetch;

interface JsonRequest {
  readonly url: string;
  /** POSTed as JSON; without one it is a GET. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for the whole exchange. */
  readonly timeout: number;
}

/**
 * Asks an HTTP API that speaks JSON, and reads an answer of a known shape.
 *
 * @returns the answer as the schema has it. It is asked for once.
 * @throws RateLimited, UpstreamUnavailable, InvalidConfiguration, InvalidRequest; never with what was sent or answered in their message.
 * @example
 * ```ts
 * await requestJson(fetch, z.object({ id: z.string() }), { url: 'http://chroma:8000/…/lines', timeout: 10_000 }); // { id: '…' }
 * ```
 */
export async function requestJson<Answer>(
  fetch: Fetch,
  schema: z.ZodType<Answer>,
  request: JsonRequest,
): Promise<Answer> {
  const host = new URL(request.url).host;
  const response = await exchange(fetch, request, host);
  return await readAnswer(response, schema, host);
}

/**
 * The same for what may not be there.
 *
 * @param absence the answer to a 404 that says so; any other 404 is thrown, since a wrong address says it too.
 * @returns undefined when it is not there.
 */
export async function findJson<Answer>(
  fetch: Fetch,
  schema: z.ZodType<Answer>,
  request: JsonRequest,
  absence: z.ZodType,
): Promise<Answer | undefined> {
  const host = new URL(request.url).host;
  const response = await exchange(fetch, request, host);
  if (response.status === 404) {
    const answer: unknown = await response.json().catch(() => undefined);
    if (absence.safeParse(answer).success) return undefined;
  }
  return await readAnswer(response, schema, host);
}

async function readAnswer<Answer>(
  response: Response,
  schema: z.ZodType<Answer>,
  host: string,
): Promise<Answer> {
  if (!response.ok) throw refusal(host, response.status);
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) {
    throw new UpstreamUnavailable(`${host} answered something that is not what its API describes`);
  }
  return parsed.data;
}

async function exchange(
  fetch: Fetch,
  { url, body, headers, timeout }: JsonRequest,
  host: string,
): Promise<Response> {
  try {
    return await fetch(url, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(timeout),
    });
  } catch (error) {
    throw new UpstreamUnavailable(`${host} can not be reached or took too long`, { cause: error });
  }
}

function refusal(host: string, status: number): Error {
  const what = `${host} answered HTTP ${status}`;
  if (status === 429) return new RateLimited(what);
  if (status === 401 || status === 403 || status === 404) return new InvalidConfiguration(what);
  return status >= 500 ? new UpstreamUnavailable(what) : new InvalidRequest(what);
}
