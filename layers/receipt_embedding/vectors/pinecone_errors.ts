import {
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
  UpstreamUnavailable,
} from '../errors.ts';

/** What Pinecone answered, read whole. */
export interface PineconeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * An answer that is no success, as one of the layer's errors. Pinecone's own message is left out, as it may quote
 * metadata, but for the one about dimensions, which holds two numbers and says what to do.
 */
export function answeredError({ status, headers, body }: PineconeAnswer): Error {
  const id = headers.get('x-pinecone-request-id');
  const what = `Pinecone answered ${status}${id === null ? '' : `, request ${id}`}`;
  if (status === 402 || (status === 429 && isMonthlyLimit(body))) {
    return new QuotaExhausted(`${what}: the plan's limit is reached; check plan and billing`);
  }
  if (status === 429) return new RateLimited(what);
  if (status === 401 || status === 403 || status === 404) {
    return new InvalidConfiguration(`${what}: check the API key, the index's name and its host`);
  }
  if (status >= 400 && status < 500 && status !== 408) {
    return new InvalidRequest(`${what}${dimensionsIn(body)}`);
  }
  return new UpstreamUnavailable(what);
}

/** No answer, or one that broke off. */
export function unreachableError(cause: unknown): UpstreamUnavailable {
  return new UpstreamUnavailable('Pinecone can not be reached or took too long', { cause });
}

/** A success that can't be read. */
export function unreadableError(): UpstreamUnavailable {
  return new UpstreamUnavailable('Pinecone answered something that is no JSON');
}

/**
 * The layer's error that Pinecone's client was handed, out of the client's own in which it wraps whatever a request
 * fails with.
 */
export function unwrapPineconeError(error: unknown): unknown {
  return error instanceof Error && isOurs(error.cause) ? error.cause : error;
}

function isOurs(error: unknown): boolean {
  return [
    InvalidConfiguration,
    InvalidRequest,
    QuotaExhausted,
    RateLimited,
    UpstreamUnavailable,
  ].some((ours) => error instanceof ours);
}

/** A plan's read or write units of the month are used up: 429 too, but no later try of today helps. */
function isMonthlyLimit(body: string): boolean {
  return body.includes('current month');
}

function dimensionsIn(body: string): string {
  const found = /Vector dimension \d+ does not match the dimension of the index \d+/.exec(body);
  return found === null ? '' : `: ${found[0]}`;
}
