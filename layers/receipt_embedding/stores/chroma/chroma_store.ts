import { createHash } from 'node:crypto';
import { InvalidConfiguration, UpstreamUnavailable } from '../../errors.ts';
import type { Fetch } from '../../json_request.ts';
import { RETRY_POLICIES, type RetryPorts, retrying } from '../../retry.ts';
import { mapSettled } from '../../settled_map.ts';
import { chromaMetadata, printedFloats, storedMetadata } from '../chroma_metadata.ts';
import {
  idParts,
  jsonBytes,
  type MeasuredRecord,
  packRequests,
  sendInHalves,
} from '../packed_requests.ts';
import { printableVector } from '../printable_vector.ts';
import { type StoreSettings, storeVariables } from '../store_settings.ts';
import type {
  LineMetadata,
  QueryAnswer,
  StoredVector,
  UpsertOutcome,
  VectorCollection,
  VectorHit,
  VectorQuery,
  VectorRecord,
  VectorStore,
  WordMetadata,
} from '../vector_store.ts';
import { ChromaApi, type ChromaCollection, type ChromaServer, isMissing } from './chroma_api.ts';
import { ChromaFilter } from './chroma_filter.ts';
import { CHROMA } from './declaration.ts';

/** @see STORES */
export function openStore({ environment, secret }: StoreSettings): ChromaStore {
  const variables = storeVariables('chroma', CHROMA, environment);
  return new ChromaStore({
    endpoint: variables.CHROMA_HTTP_ENDPOINT,
    tenant: variables.CHROMA_TENANT,
    database: variables.CHROMA_DATABASE,
    token: secret,
  });
}

export interface ChromaStoreOptions extends ChromaServer {
  readonly fetch?: Fetch;
  /** @default the system's */
  readonly ports?: RetryPorts;
}

/** A write of 300 records with 1,536 dimensions is some 6 MB. */
const TIMEOUT_MS = 60_000;

/** Chroma Cloud's quotas; a server's own limit of a write is in its pre-flight checks. */
const MOST_WRITTEN = 300;
const MOST_RESULTS = 300;
const MOST_GOT = 100;

/** Half of what a server takes as it comes, 40 MiB. */
const MOST_BYTES = 20_000_000;

/** Requests at once: a server works on one collection with one thread, and Cloud takes 10 at a time. */
const CONCURRENCY = 2;

/**
 * How often a query is made for a condition that Chroma can't say: each looks past what the ones before it have shown. @see ChromaFilter
 */
const MOST_QUERIES = 10;

/** The distance of two vectors of length 1, which those of OpenAI have, by how a collection measures it. */
const SCORES: Readonly<Record<string, (distance: number) => number>> = {
  cosine: (distance) => 1 - distance,
  ip: (distance) => 1 - distance,
  l2: (distance) => 1 - distance / 2,
};

/** Vectors in the collections `lines` and `words` of a Chroma server or Chroma Cloud (docs/data_model.md §8). */
export class ChromaStore implements VectorStore {
  readonly name = 'chroma';
  readonly #api: ChromaApi;
  readonly #ports: RetryPorts | undefined;
  readonly #collections = new Map<VectorCollection, Promise<ChromaCollection>>();
  #largestWrite: number | undefined;

  constructor({ fetch, ports, ...server }: ChromaStoreOptions) {
    this.#api = new ChromaApi(server, TIMEOUT_MS, fetch);
    this.#ports = ports;
  }

  /** Host, tenant, database and both collections' ids: one that was deleted and made anew is another. */
  async identity(): Promise<string> {
    const [lines, words] = [await this.#open('lines'), await this.#open('words')];
    const place = `${this.#api.place}/${lines.id},${words.id}`;
    if (place.length <= 300) return place;
    return createHash('sha256').update(place).digest('hex');
  }

  async upsert(
    collection: VectorCollection,
    records: readonly VectorRecord[],
  ): Promise<UpsertOutcome> {
    if (records.length === 0) return { stored: 0, refused: [] };
    const { id } = await this.#open(collection);
    this.#largestWrite ??= await this.#try(() => this.#api.largestWrite());
    const largest = this.#largestWrite ?? MOST_WRITTEN;
    const { upserts, refused } = packRequests(
      records.map(measure),
      { records: Math.min(largest, MOST_WRITTEN), bytes: MOST_BYTES },
      { emptyBytes: EMPTY_BYTES, store: 'Chroma' },
    );
    const send = (part: readonly ChromaRecord[]) =>
      this.#try(() =>
        this.#api.upsert(id, {
          ids: part.map(({ id }) => id),
          embeddings: part.map(({ embedding }) => embedding),
          documents: part.map(({ document }) => document),
          metadatas: part.map(({ metadata }) => metadata),
        }),
      );
    const found = await mapSettled(
      upserts,
      ({ records: part }) => sendInHalves(part, ({ id }) => id, send),
      { atOnce: CONCURRENCY },
    );
    const all = [...refused, ...found.flat()];
    return { stored: records.length - all.length, refused: all };
  }

  async remove(collection: VectorCollection, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { id } = await this.#open(collection);
    await mapSettled(
      idParts(ids, MOST_WRITTEN),
      (part) => this.#try(() => this.#api.delete(id, part)),
      { atOnce: CONCURRENCY },
    );
  }

  async query(collection: VectorCollection, query: VectorQuery): Promise<QueryAnswer> {
    const filter = new ChromaFilter(collection, query.filter ?? []);
    if (filter.isImpossible) return { hits: [], complete: true };
    const opened = await this.#open(collection);
    const n_results = filter.needsMore ? MOST_RESULTS : query.k;
    for (let queries = 1; ; queries += 1) {
      const found = await this.#nearest(opened, query.vector, n_results, filter.where());
      const hits = found.filter(({ metadata }) => filter.passes(metadata)).slice(0, query.k);
      const all = !filter.needsMore || hits.length === query.k || found.length < n_results;
      if (all || queries === MOST_QUERIES || !filter.learn(found)) return { hits, complete: all };
    }
  }

  async #nearest(
    { id, space }: ChromaCollection,
    vector: Float32Array,
    n_results: number,
    where: object | undefined,
  ): Promise<VectorHit[]> {
    const score = SCORES[space];
    if (score === undefined) {
      throw new InvalidConfiguration(
        "Chroma's collection measures distances in a way that gives no cosine: make it with space cosine",
      );
    }
    const answer = await this.#try(() =>
      this.#api.query(id, {
        query_embeddings: [printableVector(vector).values],
        n_results,
        where,
        include: ['distances', 'documents', 'metadatas'],
      }),
    );
    const [ids, distances, documents, metadatas] = [
      answer.ids?.[0],
      answer.distances?.[0],
      answer.documents?.[0],
      answer.metadatas?.[0],
    ];
    if (ids === undefined) throw unreadable();
    return ids
      .map((id, at) => {
        const distance = distances?.[at];
        if (distance == null) throw unreadable();
        return {
          id,
          score: score(distance),
          metadata: storedMetadata(metadatas?.[at] ?? null, documents?.[at] ?? null),
        };
      })
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  }

  /** For cosines a server makes a vector one of length 1: it comes back as it was within the rounding of that. */
  async fetch(collection: VectorCollection, ids: readonly string[]): Promise<StoredVector[]> {
    if (ids.length === 0) return [];
    const { id } = await this.#open(collection);
    const answers = await mapSettled(
      idParts(ids, MOST_GOT),
      (part) => this.#try(() => this.#api.get(id, part)),
      { atOnce: CONCURRENCY },
    );
    const found = new Map<string, StoredVector>();
    for (const { ids: held, embeddings, documents, metadatas } of answers) {
      for (const [at, of] of held.entries()) {
        const embedding = embeddings[at];
        if (embedding === undefined) throw unreadable();
        const metadata = storedMetadata(metadatas[at] ?? null, documents[at] ?? null);
        found.set(of, { id: of, vector: Float32Array.from(embedding), metadata });
      }
    }
    return ids.flatMap((wanted) => found.get(wanted) ?? []);
  }

  async checkDimension(dimensions: number): Promise<void> {
    for (const name of ['lines', 'words'] as const) {
      // Asked anew: a collection has the dimension of its first vector.
      const opened = await this.#try(() => this.#api.openCollection(name));
      const { dimension = dimensions } = opened;
      if (dimension === dimensions) continue;
      throw new InvalidConfiguration(
        `Chroma's collection ${name} holds vectors of ${dimension} dimensions, and the embedding model gives ${dimensions}: set chroma_database to another one`,
      );
    }
  }

  /** Once; a look-up that failed is made again by the next operation. */
  #open(name: VectorCollection): Promise<ChromaCollection> {
    let opened = this.#collections.get(name);
    if (opened === undefined) {
      opened = this.#try(() => this.#api.openCollection(name)).catch((error: unknown) => {
        this.#collections.delete(name);
        throw error;
      });
      this.#collections.set(name, opened);
    }
    return opened;
  }

  async #try<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    try {
      return await retrying(RETRY_POLICIES.chroma, send, this.#ports);
    } catch (error) {
      // Somebody has dropped it: the next operation makes it anew.
      if (isMissing(error)) this.#collections.clear();
      throw error;
    }
  }
}

interface ChromaRecord {
  readonly id: string;
  readonly embedding: readonly number[];
  readonly document: string;
  readonly metadata: object;
}

type OptionalField<Metadata> = {
  [Field in keyof Metadata]-?: undefined extends Metadata[Field] ? Field : never;
}[keyof Metadata];

/** Chroma merges what it gets into what it has: a null removes what a record does not say any more. */
const REMOVED: Readonly<Record<OptionalField<LineMetadata> | OptionalField<WordMetadata>, null>> = {
  merchant_name: null,
  normalized_phone_10: null,
  normalized_full_address: null,
  normalized_url: null,
  label_proposed_by: null,
  label_validated_at: null,
};

const EMPTY_BYTES = jsonBytes({ ids: [], embeddings: [], documents: [], metadatas: [] });

function measure({ id, vector, metadata }: VectorRecord): MeasuredRecord<ChromaRecord> {
  const { values, jsonBytes: valuesBytes } = printableVector(vector);
  const document = metadata.text.toWellFormed();
  const sent = {
    id,
    embedding: values,
    document,
    metadata: { ...REMOVED, ...printedFloats(chromaMetadata(metadata)) },
  };
  const bytes = jsonBytes(id) + valuesBytes + jsonBytes(document) + jsonBytes(sent.metadata);
  // Three commas more than the one that packRequests counts.
  return { id, sent, bytes: bytes + 3 };
}

function unreadable(): UpstreamUnavailable {
  return new UpstreamUnavailable("Chroma's answer can not be read");
}
