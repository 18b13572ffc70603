import { setTimeout as sleep } from 'node:timers/promises';
import {
  answeredError,
  unreachableError,
  unreadableError,
  type PineconeAnswer,
} from './pinecone_errors.ts';
import { Patience, type PatiencePorts } from './pinecone_patience.ts';

export interface PineconeFetchPorts extends PatiencePorts {
  readonly fetch: typeof globalThis.fetch;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** How long one try may take, its answer included. */
  readonly timeoutMs: number;
}

/** 2 MB take a second or less; a Pinecone that hangs for every try fails a request after a minute and a half. */
export const systemFetchPorts: PineconeFetchPorts = {
  fetch: globalThis.fetch,
  clock: () => new Date(),
  random: Math.random,
  sleep,
  timeoutMs: 30_000,
};

/**
 * The fetch that Pinecone's client sends its requests with: it alone tries again, and it fails with the layer's own
 * errors. The client's own retries know neither 429 nor a connection that is cut, and hide the status.
 */
export function createPineconeFetch(ports: PineconeFetchPorts): typeof globalThis.fetch {
  return async (...request) => {
    const patience = new Patience(ports);
    for (;;) {
      const { answer, error } = await tryOnce(ports, ...request);
      if (error === undefined) return new Response(answer.body, answer);
      const retryAfter = answer?.headers.get('retry-after') ?? null;
      const delay = patience.beforeNextTry(error, retryAfter);
      if (delay === undefined) throw error;
      await ports.sleep(delay);
    }
  };
}

type Outcome =
  | { readonly answer: PineconeAnswer; readonly error?: undefined }
  | { readonly answer?: PineconeAnswer; readonly error: Error };

async function tryOnce(
  { fetch, timeoutMs }: PineconeFetchPorts,
  ...[input, init]: Parameters<typeof globalThis.fetch>
): Promise<Outcome> {
  let answer: PineconeAnswer;
  try {
    const response = await fetch(input, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    const { status, headers } = response;
    // Read here, so that the time limit and the tries are for the whole of it.
    answer = { status, headers, body: await response.text() };
  } catch (error) {
    return { error: unreachableError(error) };
  }
  if (answer.status < 200 || answer.status >= 300) return { answer, error: answeredError(answer) };
  return isJson(answer.body) ? { answer } : { answer, error: unreadableError() };
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
