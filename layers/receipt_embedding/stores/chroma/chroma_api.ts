import { z } from 'zod';
import { type Fetch, requestJson } from '../../json_request.ts';
import { LayerError } from '../../layer_error.ts';
import { CHROMA, NO_COLLECTION } from '../../vendor_answers/chroma.ts';
import { checkedKey, secureUrl } from '../../vendor_answers/credentials.ts';
import type { VectorCollection } from '../vector_store.ts';

/** Where a Chroma server is, or Chroma Cloud, and what of it is meant. */
export interface ChromaServer {
  readonly endpoint: string;
  /** @default default_tenant */
  readonly tenant?: string | undefined;
  /** @default default_database */
  readonly database?: string | undefined;
  /** @default none is sent */
  readonly token?: string | undefined;
}

const collectionSchema = z.object({
  id: z.string().min(1),
  /** null until it holds a vector. */
  dimension: z.number().nullish(),
  configuration_json: z
    .looseObject({
      hnsw: z.looseObject({ space: z.string().optional() }).nullish(),
      spann: z.looseObject({ space: z.string().optional() }).nullish(),
      /** So Chroma 1.0.5 names it. */
      hnsw_configuration: z.looseObject({ space: z.string().optional() }).nullish(),
    })
    .nullish()
    .catch(undefined),
  metadata: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});

export interface ChromaCollection {
  readonly id: string;
  readonly dimension: number | undefined;
  /** How it measures distances: `cosine`, `l2`, `ip`. */
  readonly space: string;
}

const metadataSchema = z.record(z.string(), z.unknown()).nullable();
const ids = z.array(z.string());

/** What was asked for with `include` is there, and the ids. */
const querySchema = z.object({
  ids: z.array(ids).nullish(),
  distances: z.array(z.array(z.number().nullable())).nullish(),
  documents: z.array(z.array(z.string().nullable())).nullish(),
  metadatas: z.array(z.array(metadataSchema)).nullish(),
});

const getSchema = z.object({
  ids,
  embeddings: z.array(z.array(z.number())),
  documents: z.array(z.string().nullable()),
  metadatas: z.array(metadataSchema),
});

export interface ChromaQuery {
  readonly query_embeddings: readonly (readonly number[])[];
  readonly n_results: number;
  readonly where?: object | undefined;
  readonly include: readonly ('distances' | 'documents' | 'metadatas')[];
}

/** Records as Chroma takes them, one list for each of their parts. */
export interface ChromaRecords {
  readonly ids: readonly string[];
  readonly embeddings: readonly (readonly number[])[];
  readonly documents: readonly string[];
  /** A null removes a key that a record had before. */
  readonly metadatas: readonly object[];
}

/**
 * One database of a Chroma server, over its HTTP API, version 2. Each method is one request, which is tried once.
 *
 * @throws RateLimited, UpstreamUnavailable, QuotaExhausted, InvalidConfiguration, InvalidRequest, ConcurrentUpdate.
 */
export class ChromaApi {
  /** Host, tenant and database: which one it is. */
  readonly place: string;
  readonly #api: string;
  readonly #collections: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeout: number;
  readonly #fetch: Fetch;

  /** @param timeout milliseconds for each request. @throws InvalidConfiguration for a bad endpoint or token. */
  constructor(
    { endpoint, tenant = 'default_tenant', database = 'default_database', token }: ChromaServer,
    timeout: number,
    fetch: Fetch = globalThis.fetch,
  ) {
    const url = secureUrl("Chroma's endpoint", endpoint).replace(/\/+$/, '');
    const { host } = new URL(url);
    this.place = `${host}/${tenant}/${database}`;
    this.#api = `${url}/api/v2`;
    const path = ['tenants', tenant, 'databases', database].map(encodeURIComponent).join('/');
    this.#collections = `${this.#api}/${path}/collections`;
    this.#headers = token === undefined ? {} : tokenHeaders(host, token);
    this.#timeout = timeout;
    this.#fetch = fetch;
  }

  /** Where a collection is looked up by its name. */
  collectionUrl(name: VectorCollection): string {
    return `${this.#collections}/${name}`;
  }

  /** @returns undefined when there is none of this name; a 404 without Chroma's own word for it is of a wrong address, and thrown. */
  async findCollection(name: VectorCollection): Promise<ChromaCollection | undefined> {
    try {
      return described(await this.#request(collectionSchema, this.collectionUrl(name)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The collection of this name, made with cosine distances where there is none. */
  async openCollection(name: VectorCollection): Promise<ChromaCollection> {
    const body = { name, get_or_create: true, configuration: { hnsw: { space: 'cosine' } } };
    return described(await this.#request(collectionSchema, this.#collections, body));
  }

  /** How many records a server takes in one write; undefined where it does not say. */
  async largestWrite(): Promise<number | undefined> {
    const schema = z.object({ max_batch_size: z.int().min(1).optional() });
    return (await this.#request(schema, `${this.#api}/pre-flight-checks`)).max_batch_size;
  }

  async upsert(collection: string, records: ChromaRecords): Promise<void> {
    await this.#request(z.unknown(), `${this.#collections}/${collection}/upsert`, records);
  }

  async delete(collection: string, ids: readonly string[]): Promise<void> {
    await this.#request(z.unknown(), `${this.#collections}/${collection}/delete`, { ids });
  }

  /** The nearest of each vector, nearest first. */
  query(collection: string, query: ChromaQuery): Promise<z.output<typeof querySchema>> {
    return this.#request(querySchema, `${this.#collections}/${collection}/query`, query);
  }

  /** Records by their ids, in any order, those that are there. */
  get(collection: string, ids: readonly string[]): Promise<z.output<typeof getSchema>> {
    // Chroma Cloud gives at most 300 where nothing is said.
    const body = { ids, limit: ids.length, include: ['embeddings', 'documents', 'metadatas'] };
    return this.#request(getSchema, `${this.#collections}/${collection}/get`, body);
  }

  async #request<Answer>(schema: z.ZodType<Answer>, url: string, body?: object): Promise<Answer> {
    return await requestJson(this.#fetch, schema, {
      url,
      ...(body === undefined ? {} : { body }),
      headers: this.#headers,
      errors: CHROMA,
      timeout: this.#timeout,
    });
  }
}

/** Whether Chroma says, by its own word for it, that it has no such collection. */
export function isMissing(error: unknown): boolean {
  return error instanceof LayerError && NO_COLLECTION.has(error.vendor_code ?? '');
}

/** Chroma Cloud asks for `x-chroma-token`; a server's own authentication for either, most for the other. */
function tokenHeaders(host: string, token: string): Readonly<Record<string, string>> {
  const key = checkedKey("Chroma's token", token);
  return /(?:^|\.)trychroma\.com(?::\d+)?$/.test(host)
    ? { 'x-chroma-token': key }
    : { 'x-chroma-token': key, authorization: `Bearer ${key}` };
}

function described({
  id,
  dimension,
  configuration_json: configuration,
  metadata,
}: z.output<typeof collectionSchema>): ChromaCollection {
  const { hnsw, spann, hnsw_configuration: older } = configuration ?? {};
  const space = hnsw?.space ?? spann?.space ?? older?.space ?? metadata?.['hnsw:space'];
  return {
    id,
    dimension: dimension ?? undefined,
    // Chroma's own, where nothing is said.
    space: typeof space === 'string' ? space : 'l2',
  };
}
