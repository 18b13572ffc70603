import type { z } from 'zod';
import { UpstreamUnavailable } from './errors.ts';
import { parseJson } from './local_files.ts';
import { codesOf, judge, type VendorErrors, vendorError } from './vendor_answers/verdict.ts';

export type Fetch = typeof globalThis.fetch;

interface JsonRequest {
  readonly url: string;
  /** POSTed as JSON; without one it is a GET. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose API it is: what its errors mean. */
  readonly errors: VendorErrors;
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
 * await requestJson(fetch, z.object({ id: z.string() }), { url: 'https://chroma.example/…/lines', errors: CHROMA, timeout: 10_000 }); // { id: '…' }
 * ```
 */
export async function requestJson<Answer>(
  fetch: Fetch,
  schema: z.ZodType<Answer>,
  request: JsonRequest,
): Promise<Answer> {
  const host = new URL(request.url).host;
  const response = await exchange(fetch, request, host);
  const { status } = response;
  const body = parseJson(await response.text().catch(() => ''));
  if (!response.ok) {
    const { table, read } = request.errors;
    const answer = read(body, status);
    const code =
      answer.code !== undefined && codesOf(table).has(answer.code) ? answer.code : undefined;
    const what = `${host} answered HTTP ${status}${code === undefined ? '' : ` ${code}`}`;
    throw vendorError(judge(table, answer), what, code);
  }
  const parsed = schema.safeParse(body);
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
  } catch {
    throw new UpstreamUnavailable(`${host} can not be reached or took too long`);
  }
}
