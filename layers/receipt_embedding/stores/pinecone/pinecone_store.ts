import { setTimeout as sleep } from 'node:timers/promises';
import { type Index, Pinecone, type RecordMetadata } from '@pinecone-database/pinecone';
import pMap from 'p-map';
import {
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
  UpstreamUnavailable,
} from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import type {
  VectorCollection,
  VectorMetadata,
  VectorRecord,
  VectorStore,
} from '../vector_store.ts';
import { type PackedUpsert, packUpserts } from './pinecone_packing.ts';

/** What the store needs of Pinecone's client. */
export type UpsertIndex = Pick<Index, 'upsert'>;

/** Requests at once. */
const CONCURRENCY = 5;

/** Writes vectors to a Pinecone index, whose namespaces are the collections (docs/data_model.md §4). */
export class PineconeStore implements VectorStore {
  readonly #index: () => Promise<UpsertIndex>;

  /** @param index finds the index; asked for each upsert. */
  constructor(index: () => Promise<UpsertIndex>) {
    this.#index = index;
  }

  /**
   * Upserts records in requests within Pinecone's limits, at most 5 at once. When one fails, no further one is begun, and
   * those under way are waited for: a function that ends leaves nothing running.
   *
   * @returns the number of vectors written.
   * @throws InvalidRequest before anything is written, naming the record that is over a limit by itself; else what the
   * first request to fail failed with: RateLimited, UpstreamUnavailable, QuotaExhausted, InvalidConfiguration, InvalidRequest.
   */
  async upsert(collection: VectorCollection, records: readonly VectorRecord[]): Promise<number> {
    const upserts = packUpserts(collection, records);
    if (upserts.length === 0) return 0;
    const index = await this.#index().catch(rethrow);
    const failures: unknown[] = [];
    const send = async ({ records }: PackedUpsert): Promise<void> => {
      if (failures.length > 0) return;
      try {
        await index.upsert({ records, namespace: collection });
      } catch (error) {
        failures.push(error);
      }
    };
    await pMap(upserts, send, { concurrency: CONCURRENCY });
    if (failures.length > 0) rethrow(failures[0]);
    return records.length;
  }
}

function rethrow(error: unknown): never {
  throw unwrapPineconeError(error);
}

/**
 * Metadata in the form that Pinecone's readers filter on (docs/data_model.md §2): receipt_id a number, label lists as
 * lists of strings. What nobody knows is left out, an empty list and an unknown merchant too: Pinecone takes no null.
 */
export function pineconeMetadata(metadata: VectorMetadata): RecordMetadata {
  const known: RecordMetadata = {};
  for (const [name, value] of Object.entries(metadata) as [
    string,
    string | number | readonly string[] | undefined,
  ][]) {
    if (value === undefined || (name === 'merchant_name' && value === '')) continue;
    if (typeof value === 'string' || typeof value === 'number') known[name] = value;
    else if (value.length > 0) known[name] = [...value];
  }
  return known;
}

export interface PineconeStoreOptions {
  readonly apiKey: string;
  readonly indexName: string;
  /** The index's own host, with or without `https://`. @default Pinecone is asked for it by the index's name, once */
  readonly host: string | undefined;
  /** Where Pinecone is asked for the host. @default Pinecone's own */
  readonly controllerUrl?: string;
  /** @default the system's */
  readonly ports?: Partial<PineconeFetchPorts>;
}

/** @throws InvalidConfiguration when the host is no host, or the key can't be a key. */
export function createPineconeStore(options: PineconeStoreOptions): PineconeStore {
  const { apiKey, indexName: name, controllerUrl } = options;
  // No request could carry it, and the error about that would quote it.
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new InvalidConfiguration("Pinecone's API key is empty or holds a space or a line break");
  }
  const client = new Pinecone({
    apiKey,
    ...(controllerUrl === undefined ? {} : { controllerHostUrl: controllerUrl }),
    fetchApi: createPineconeFetch({ ...systemFetchPorts, ...options.ports }),
    maxRetries: 0,
  });
  if (options.host !== undefined) {
    const index = Promise.resolve(client.index({ name, host: urlOf(options.host) }));
    return new PineconeStore(() => index);
  }
  let found: Promise<UpsertIndex> | undefined;
  return new PineconeStore(() => {
    found ??= lookUp(client, name).catch((error: unknown) => {
      // A look-up that failed is made again by the next upsert.
      found = undefined;
      throw error;
    });
    return found;
  });
}

/** The client would look the host up by itself, and keep it for the whole process under key and name alone. */
async function lookUp(client: Pinecone, name: string): Promise<UpsertIndex> {
  const { host, privateHost } = await client.indexes.describe(name);
  return client.index({ name, host: urlOf(privateHost ?? host) });
}

function urlOf(host: string): string {
  const url = /^https?:\/\//.test(host) ? host : `https://${host}`;
  if (!URL.canParse(url)) {
    throw new InvalidConfiguration("the host of Pinecone's index is no URL");
  }
  return url.replace(/\/+$/, '');
}

/** How one request waits before it is tried again. */
export interface PatiencePorts {
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** Pinecone's client leaves 429 to its callers: five more tries. Everything else that passes gets two, as the SDKs give. */
const MORE_TRIES = { throttled: 5, unavailable: 2 } as const;
const FIRST_MS = 1_000;
const CAP_MS = 20_000;
/** Waiting longer is the state machine's, which costs nothing meanwhile. */
const WAITING_MS = 60_000;

/** What one request bears before it gives up: its tries and its waiting together are bounded. */
export class Patience {
  readonly #ports: PatiencePorts;
  readonly #tries = { throttled: 0, unavailable: 0 };
  #waitedMs = 0;

  constructor(ports: PatiencePorts) {
    this.#ports = ports;
  }

  /**
   * How many milliseconds to wait before another try: what Pinecone asks for in Retry-After, else a random time of up to
   * 1 s · 2^n, at most 20 s.
   *
   * @returns undefined when no try is left, when the waiting would exceed a minute in all, or when no try would help.
   */
  beforeNextTry(error: Error, retryAfter: string | null): number | undefined {
    const kind = kindOf(error);
    if (kind === undefined || this.#tries[kind] === MORE_TRIES[kind]) return undefined;
    const delay = this.#asked(retryAfter) ?? this.#jittered(this.#tries[kind]);
    if (this.#waitedMs + delay > WAITING_MS) return undefined;
    this.#tries[kind] += 1;
    this.#waitedMs += delay;
    return delay;
  }

  #asked(retryAfter: string | null): number | undefined {
    if (retryAfter === null || retryAfter.trim() === '') return undefined;
    const seconds = Number(retryAfter);
    const delay = Number.isNaN(seconds)
      ? Date.parse(retryAfter) - this.#ports.clock().getTime()
      : seconds * 1_000;
    return Number.isNaN(delay) ? undefined : Math.max(0, delay);
  }

  #jittered(tries: number): number {
    return this.#ports.random() * Math.min(CAP_MS, FIRST_MS * 2 ** tries);
  }
}

function kindOf(error: Error): keyof typeof MORE_TRIES | undefined {
  if (error instanceof RateLimited) return 'throttled';
  return error instanceof UpstreamUnavailable ? 'unavailable' : undefined;
}

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
