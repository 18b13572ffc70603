import {
  type FaultRule as CommonFaultRule,
  Faults,
  type RefusedFault,
  retryAfterHeader,
} from 'embedded-aws/http/faults';
import type { Service, ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { answered, jsonAnswer, type JsonObject, parseJsonObject } from '../answers.ts';
import { nearestVectors } from '../nearest_vectors.ts';
import {
  ChromaCollection,
  chromaError,
  type ChromaRecord,
  invalidArgument,
  isTextList,
  quotaExceeded,
  unprocessable,
} from './collection.ts';
import { readWhere } from './where.ts';

export interface ChromaStandInOptions {
  /** The only token that is good, in `x-chroma-token` or as `Authorization: Bearer`. @default none is asked for */
  readonly token?: string;
  /** Records in a write, and results of a query. @default Chroma Cloud's 300 */
  readonly quota?: number;
}

export type ChromaOperation =
  'pre-flight-checks' | 'create' | 'describe' | 'upsert' | 'delete' | 'get' | 'query';

/** What a rule may know of a request. */
export interface ChromaRequest {
  readonly operation: ChromaOperation;
  /** The collection's name; undefined where it names none, or none that is there. */
  readonly collection: string | undefined;
  /** Of a write, a deletion or a get. */
  readonly ids: readonly string[];
}

/** How Chroma fails its callers, and which requests: those with a good token. An error's `code` is its `error`. */
export type FaultRule = CommonFaultRule<ChromaRequest>;

/**
 * A Chroma server on this machine, over its HTTP API v2: one tenant with one database, whose collections are in memory, exact search by
 * cosine, and faults on demand. Two stand-ins know nothing of each other.
 *
 * @example
 * const chroma = new ChromaStandIn();
 * const { url } = await serve(chroma.handle, 0);
 * await fetch(`${url}/api/v2/tenants/default_tenant/databases/default_database/collections`, { method: 'POST', body: '{"name":"lines"}' });
 */
export class ChromaStandIn {
  readonly #options: ChromaStandInOptions;
  readonly #collections = new Map<string, ChromaCollection>();
  readonly #faults = new Faults<ChromaRequest>(refuse);
  readonly #requests: ChromaRequest[] = [];

  constructor(options: ChromaStandInOptions = {}) {
    this.#options = options;
  }

  /** The requests that could be read, oldest first. */
  get requests(): readonly ChromaRequest[] {
    return [...this.#requests];
  }

  /** How many records each collection holds. */
  get counts(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#collections.values()].map(({ name, records }) => [name, records.size]),
    );
  }

  /** @returns removes the rule, and lets the requests that hang by it be answered. */
  fault(rule: FaultRule): () => void {
    return this.#faults.add(rule);
  }

  /** Drops a collection: one of its name that is made later is another. */
  drop(name: string): void {
    this.#collections.delete(name);
  }

  /** @throws ConnectionCut where a fault cuts the connection; every other failure is an answer. */
  readonly handle: Service = (request) => answered(() => this.#answer(request));

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    const { token } = this.#options;
    const { authorization, 'x-chroma-token': given } = request.headers;
    if (token !== undefined && given !== token && authorization !== `Bearer ${token}`) {
      throw chromaError(401, 'AuthError', 'Unauthorized');
    }
    const { operation, reference } = routeOf(request);
    const body = request.method === 'POST' ? parseBody(request.body) : {};
    const collection = [...this.#collections.values()].find(
      ({ id, name }) => reference === (operation === 'describe' ? name : id),
    );
    const about: ChromaRequest = {
      operation,
      collection: collection?.name,
      ids: isTextList(body['ids']) ? body['ids'] : [],
    };
    this.#requests.push(about);
    return await this.#faults.perform(about, () =>
      jsonAnswer(this.#perform(operation, reference, collection, body)),
    );
  }

  #perform(
    operation: ChromaOperation,
    reference: string | undefined,
    collection: ChromaCollection | undefined,
    body: JsonObject,
  ): object {
    const { quota = 300 } = this.#options;
    if (operation === 'pre-flight-checks') return { max_batch_size: 5_461 };
    if (operation === 'create') return this.#create(body).description;
    if (collection === undefined) {
      throw chromaError(404, 'NotFoundError', `Collection [${reference ?? ''}] does not exist`);
    }
    switch (operation) {
      case 'describe':
        return collection.description;
      case 'upsert':
        collection.upsert(body, quota);
        return {};
      case 'delete':
        return remove(collection, body);
      case 'get':
        return get(collection, body, quota);
      case 'query':
        return query(collection, body, quota);
    }
  }

  #create({ name, get_or_create: orGet, configuration }: JsonObject): ChromaCollection {
    if (typeof name !== 'string') throw unprocessable('name');
    if (name.length < 3) throw invalidArgument('Expected a name containing 3-512 characters');
    const existing = this.#collections.get(name);
    if (existing !== undefined) {
      if (orGet === true) return existing;
      throw chromaError(409, 'ChromaError', `Collection [${name}] already exists`);
    }
    if (JSON.stringify(configuration) !== '{"hnsw":{"space":"cosine"}}') {
      throw invalidArgument('this stand-in has cosine collections only');
    }
    const made = new ChromaCollection(crypto.randomUUID(), name);
    this.#collections.set(name, made);
    return made;
  }
}

function remove({ records }: ChromaCollection, { ids }: JsonObject): object {
  if (!isTextList(ids) || ids.length === 0) {
    throw invalidArgument('Validation error: ids, where: Either ids or where must be specified');
  }
  for (const id of ids) records.delete(id);
  return { deleted: ids.length };
}

/** What is not asked for is null. */
function get(
  { records }: ChromaCollection,
  { ids, limit, include = ['documents', 'metadatas'] }: JsonObject,
  quota: number,
): object {
  if (!isTextList(ids)) throw unprocessable('ids');
  if (typeof limit === 'number' && limit > quota) {
    throw quotaExceeded('Limit value', 'Get', limit, quota);
  }
  // Not in the order in which they are asked for.
  const found = [...records.values()]
    .filter(({ id }) => ids.includes(id))
    .slice(0, typeof limit === 'number' ? limit : quota);
  const wanted = isTextList(include) ? include : [];
  const list = (name: string, of: (record: ChromaRecord) => unknown) =>
    wanted.includes(name) ? found.map(of) : null;
  return {
    ids: found.map(({ id }) => id),
    embeddings: list('embeddings', ({ values }) => [...values]),
    documents: list('documents', ({ document }) => document),
    metadatas: list('metadatas', ({ metadata }) => metadata),
    uris: null,
    include: wanted,
  };
}

function query(
  collection: ChromaCollection,
  { query_embeddings: embeddings, n_results: wanted = 10, where, include }: JsonObject,
  quota: number,
): object {
  if (!Array.isArray(embeddings) || typeof wanted !== 'number') {
    throw unprocessable('query_embeddings');
  }
  if (wanted > quota) throw quotaExceeded('Number of results', 'Query', wanted, quota);
  const passes = readWhere(where);
  const candidates = [...collection.records.values()].filter(({ metadata }) =>
    passes(metadata ?? {}),
  );
  const found = embeddings.map((embedding) =>
    nearestVectors(collection.readQuery(embedding), candidates, wanted),
  );
  const asked = isTextList(include) ? include : ['distances', 'documents', 'metadatas'];
  const lists = (name: string, of: (hit: (typeof found)[number][number]) => unknown) =>
    asked.includes(name) ? found.map((hits) => hits.map(of)) : null;
  return {
    ids: found.map((hits) => hits.map(({ candidate }) => candidate.id)),
    distances: lists('distances', ({ score }) => Math.fround(1 - score)),
    documents: lists('documents', ({ candidate }) => candidate.document),
    metadatas: lists('metadatas', ({ candidate }) => candidate.metadata),
    embeddings: lists('embeddings', ({ candidate }) => [...candidate.values]),
    uris: null,
    include: asked,
  };
}

interface Route {
  readonly operation: ChromaOperation;
  /** A collection's id, or its name where it is described. */
  readonly reference?: string;
}

const COLLECTION =
  /^\/api\/v2\/tenants\/[^/]+\/databases\/[^/]+\/collections(?:\/([^/]+))?(?:\/([a-z]+))?$/;
const OF_RECORDS: ReadonlySet<string> = new Set(['upsert', 'delete', 'get', 'query']);

/** @throws ApiError 404 for what this stand-in, or Chroma, doesn't know. */
function routeOf({ method, path }: ServiceRequest): Route {
  if (method === 'GET' && path === '/api/v2/pre-flight-checks') {
    return { operation: 'pre-flight-checks' };
  }
  const [, reference, operation] = COLLECTION.exec(path) ?? [];
  if (COLLECTION.test(path)) {
    if (method === 'POST' && reference === undefined) return { operation: 'create' };
    if (method === 'GET' && reference !== undefined && operation === undefined) {
      return { operation: 'describe', reference };
    }
    if (method === 'POST' && reference !== undefined && OF_RECORDS.has(operation ?? '')) {
      return { operation: operation as ChromaOperation, reference };
    }
  }
  throw chromaError(404, 'ChromaError', `no such operation: ${method} ${path}`);
}

/** @throws ApiError 400 for a body that is not a JSON object. */
function parseBody(body: Buffer): JsonObject {
  const parsed = parseJsonObject(body);
  if (parsed === undefined) throw chromaError(400, 'ChromaError', 'the body is no JSON object');
  return parsed;
}

function refuse(fault: RefusedFault): never {
  const { status, code, message = `Refused with ${status}.` } = fault;
  throw chromaError(status, code ?? 'ChromaError', message, retryAfterHeader(fault));
}
