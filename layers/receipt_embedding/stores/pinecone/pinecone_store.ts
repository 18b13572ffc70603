import { setTimeout as sleep } from 'node:timers/promises';
import { type Index, Pinecone, type PineconeRecord } from '@pinecone-database/pinecone';
import { InvalidConfiguration, InvalidRequest, UpstreamUnavailable } from '../../errors.ts';
import { LayerError } from '../../layer_error.ts';
import { parseJson } from '../../local_files.ts';
import type { Clock } from '../../ports.ts';
import { RETRY_POLICIES, type RetryPorts, retrying } from '../../retry.ts';
import { mapSettled } from '../../settled_map.ts';
import { checkedKey, secureUrl } from '../../vendor_answers/credentials.ts';
import {
  judgePinecone,
  readPineconeError,
  shownDimensions,
  shownPineconeCode,
  shownPineconeRequestId,
} from '../../vendor_answers/pinecone.ts';
import { vendorError } from '../../vendor_answers/verdict.ts';
import { idParts, sendInHalves } from '../packed_requests.ts';
import { printableVector } from '../printable_vector.ts';
import { requiredKey, type StoreSettings, storeVariables } from '../store_settings.ts';
import type {
  FilterCondition,
  QueryAnswer,
  StoredVector,
  UpsertOutcome,
  VectorCollection,
  VectorHit,
  VectorQuery,
  VectorRecord,
  VectorStore,
} from '../vector_store.ts';
import { PINECONE } from './declaration.ts';
import { packUpserts } from './pinecone_packing.ts';

/** @see STORES */
export function openStore({ environment, secret }: StoreSettings): PineconeStore {
  const variables = storeVariables('pinecone', PINECONE, environment);
  return createPineconeStore({
    apiKey: requiredKey('pinecone', secret),
    indexName: variables.PINECONE_INDEX_NAME,
    host: variables.PINECONE_HOST,
  });
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

/**
 * A store of one Pinecone index. Its requests are sent by createPineconeFetch, which alone retries.
 *
 * @throws InvalidConfiguration when the host is no host, or the key can't be a key.
 * @example
 * ```ts
 * const store = createPineconeStore({ apiKey, indexName: 'receipts', host: 'receipts-1a2b.svc.pinecone.io' });
 * await store.upsert('words', records); // { stored: 1234, refused: [] }
 * ```
 */
export function createPineconeStore(options: PineconeStoreOptions): PineconeStore {
  const { indexName: name, controllerUrl } = options;
  const apiKey = checkedKey("Pinecone's API key", options.apiKey);
  const client = new Pinecone({
    apiKey,
    ...(controllerUrl === undefined ? {} : { controllerHostUrl: controllerUrl }),
    fetchApi: createPineconeFetch({ ...SYSTEM_FETCH_PORTS, ...options.ports }),
    maxRetries: 0,
  });
  if (options.host !== undefined) {
    const index = Promise.resolve(indexAt(client, name, urlOf(options.host)));
    return new PineconeStore(() => index);
  }
  let found: Promise<PineconeIndex> | undefined;
  return new PineconeStore(() => {
    found ??= lookUp(client, name).catch((error: unknown) => {
      // A look-up that failed is made again by the next operation.
      found = undefined;
      throw error;
    });
    return found;
  });
}

/** The client would look the host up by itself, and keep it for the whole process under key and name alone. */
async function lookUp(client: Pinecone, name: string): Promise<PineconeIndex> {
  const { host, privateHost } = await client.indexes.describe(name);
  const found: unknown = privateHost ?? host;
  if (typeof found !== 'string')
    throw new UpstreamUnavailable('Pinecone named no host of the index');
  return indexAt(client, name, urlOf(found));
}

function indexAt(client: Pinecone, name: string, host: string): PineconeIndex {
  return { client: client.index({ name, host }), identity: `${new URL(host).host}/${name}` };
}

function urlOf(host: string): string {
  const url = /^https?:\/\//.test(host) ? host : `https://${host}`;
  return secureUrl("the host of Pinecone's index", url).replace(/\/+$/, '');
}

/** What the store needs of Pinecone. */
export interface PineconeIndex {
  readonly client: Pick<Index, 'upsert' | 'deleteMany' | 'query' | 'fetch' | 'describeIndexStats'>;
  /** Host and name: an index that was deleted and made anew has another host. */
  readonly identity: string;
}

/** Requests at once. */
const CONCURRENCY = 5;

const MOST_DELETED = 1_000;

/** Their ids are in the request's address, which servers take up to some 8,000 characters. */
const MOST_FETCHED = 50;

/** Vectors in a Pinecone index, whose namespaces are the collections (docs/data_model.md §4). */
export class PineconeStore implements VectorStore {
  readonly name = 'pinecone';
  readonly #index: () => Promise<PineconeIndex>;

  /** @param index finds the index; asked for each operation. */
  constructor(index: () => Promise<PineconeIndex>) {
    this.#index = index;
  }

  async identity(): Promise<string> {
    return (await this.#index().catch(rethrow)).identity;
  }

  /**
   * Upserts records in requests within Pinecone's limits, at most 5 at once. When one fails, no further one is begun, and
   * those under way are waited for: a function that ends leaves nothing running. A request that is refused for one of its records is
   * halved until that one is found.
   */
  async upsert(
    collection: VectorCollection,
    records: readonly VectorRecord[],
  ): Promise<UpsertOutcome> {
    const { upserts, refused: tooLarge } = packUpserts(collection, records);
    if (upserts.length === 0) return { stored: 0, refused: tooLarge };
    const { client } = await this.#index().catch(rethrow);
    const send = (part: readonly PineconeRecord[]) =>
      client.upsert({ records: [...part], namespace: collection }).catch(rethrow);
    const found = await mapSettled(
      upserts,
      ({ records: part }) => sendInHalves(part, ({ id }) => id, send),
      { atOnce: CONCURRENCY },
    );
    const refused = [...tooLarge, ...found.flat()];
    return { stored: records.length - refused.length, refused };
  }

  async remove(collection: VectorCollection, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { client } = await this.#index().catch(rethrow);
    await mapSettled(
      idParts(ids, MOST_DELETED),
      (part) => client.deleteMany({ ids: part, namespace: collection }).catch(rethrow),
      { atOnce: CONCURRENCY },
    );
  }

  async query(collection: VectorCollection, query: VectorQuery): Promise<QueryAnswer> {
    const { client } = await this.#index().catch(rethrow);
    const filter = filterOf(query.filter ?? []);
    const { matches } = await client
      .query({
        vector: printableVector(query.vector).values,
        topK: query.k,
        namespace: collection,
        includeMetadata: true,
        ...(filter === undefined ? {} : { filter }),
      })
      .catch(rethrow);
    const hits = matches.map(({ id, score, metadata = {} }): VectorHit => {
      if (score === undefined) throw new UpstreamUnavailable("Pinecone's answer has no score");
      return { id, score, metadata };
    });
    return {
      hits: hits.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)),
      complete: true,
    };
  }

  async fetch(collection: VectorCollection, ids: readonly string[]): Promise<StoredVector[]> {
    if (ids.length === 0) return [];
    const { client } = await this.#index().catch(rethrow);
    const answers = await mapSettled(
      idParts(ids, MOST_FETCHED),
      (part) => client.fetch({ ids: part, namespace: collection }).catch(rethrow),
      { atOnce: CONCURRENCY },
    );
    const found = new Map(answers.flatMap(({ records }) => Object.entries(records)));
    return ids.flatMap((id) => {
      const record = found.get(id);
      if (record === undefined) return [];
      const { values, metadata = {} } = record;
      if (values === undefined) throw new UpstreamUnavailable("Pinecone's answer has no vector");
      return [{ id, vector: Float32Array.from(values), metadata }];
    });
  }

  /**
   * Asks for the index's dimension, which never changes.
   *
   * @throws InvalidConfiguration when it is not that of the vectors that are to come: no upsert of them could succeed.
   */
  async checkDimension(dimensions: number): Promise<void> {
    const { client } = await this.#index().catch(rethrow);
    const { dimension } = await client.describeIndexStats().catch(rethrow);
    // Of a sparse index there is none.
    if (dimension === undefined || dimension === dimensions) return;
    throw new InvalidConfiguration(
      `Pinecone's index is of ${dimension} dimensions, and the embedding model gives ${dimensions}: an index's never change; set pinecone_index_name to one of ${dimensions}`,
    );
  }
}

/** `$eq` on a list finds any of its elements. */
function filterOf(conditions: readonly FilterCondition[]): object | undefined {
  const clauses = conditions.map((condition) => ({
    [condition.field]: { $eq: 'equals' in condition ? condition.equals : condition.contains },
  }));
  return clauses.length > 1 ? { $and: clauses } : clauses[0];
}

/** Pinecone's client wraps whatever a request fails with into an error of its own, and throws others that may quote what it got. */
function ownError(error: unknown): LayerError {
  if (error instanceof LayerError) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof LayerError) return cause;
  return error instanceof Error && error.name === 'PineconeArgumentError'
    ? new InvalidRequest("Pinecone's client does not take the request")
    : new UpstreamUnavailable("Pinecone's answer can not be read");
}

function rethrow(error: unknown): never {
  throw ownError(error);
}

export interface PineconeFetchPorts extends Pick<RetryPorts, 'random' | 'sleep'> {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** Milliseconds that one try may take, its answer included. */
  readonly timeoutMs: number;
}

/** 2 MB take a second or less; a Pinecone that hangs for every try fails a request after a minute and a half. */
const SYSTEM_FETCH_PORTS: PineconeFetchPorts = {
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
    let askedWait: number | undefined;
    const send = async (): Promise<Response> => {
      askedWait = undefined;
      const answer = await fetchWhole(ports, ...request);
      askedWait = retryAfterMs(answer.headers, ports.clock());
      const { status } = answer;
      if (isNothingToDelete(request[0], answer)) return Response.json({});
      if (status < 200 || status >= 300) throw answeredError(answer);
      if (parseJson(answer.body) === undefined) {
        throw new UpstreamUnavailable('Pinecone answered something that is no JSON');
      }
      return new Response(answer.body, answer);
    };
    return await retrying(RETRY_POLICIES.pinecone, send, { ...ports, askedWait: () => askedWait });
  };
}

/** What Pinecone answered, read whole. */
interface PineconeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

async function fetchWhole(
  { fetch, timeoutMs }: PineconeFetchPorts,
  ...[input, init]: Parameters<typeof globalThis.fetch>
): Promise<PineconeAnswer> {
  try {
    const response = await fetch(input, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    const { status, headers } = response;
    // Read here, so that the time limit and the tries are for the whole of it.
    return { status, headers, body: await response.text() };
  } catch {
    throw new UpstreamUnavailable('Pinecone can not be reached or took too long');
  }
}

/** A namespace comes into being with its first vector: before that, there is nothing to delete. */
function isNothingToDelete(url: string | URL | Request, { status, body }: PineconeAnswer): boolean {
  const { pathname } = new URL(url instanceof Request ? url.url : url);
  return status === 404 && pathname === '/vectors/delete' && body.includes('"Namespace not found"');
}

/** Retry-After has seconds or a date. */
function retryAfterMs(headers: Headers, now: Date): number | undefined {
  const asked = headers.get('retry-after')?.trim() ?? '';
  if (asked === '') return undefined;
  const seconds = Number(asked);
  const delay = Number.isNaN(seconds) ? Date.parse(asked) - now.getTime() : seconds * 1_000;
  return Number.isNaN(delay) ? undefined : Math.max(0, delay);
}

/**
 * An answer that is no success, as one of the layer's errors. Pinecone's own message is left out, as it may quote
 * metadata, except the one about dimensions, which holds two numbers and says what to do.
 */
function answeredError({ status, headers, body }: PineconeAnswer): Error {
  const answer = readPineconeError(parseJson(body), status, body);
  const code = shownPineconeCode(answer);
  const id = shownPineconeRequestId(headers.get('x-pinecone-request-id'));
  const what = [
    `Pinecone answered ${status}`,
    code === undefined ? '' : ` ${code}`,
    id === undefined ? '' : `, request ${id}`,
    shownDimensions(answer),
  ].join('');
  return vendorError(judgePinecone(answer), what, code);
}
