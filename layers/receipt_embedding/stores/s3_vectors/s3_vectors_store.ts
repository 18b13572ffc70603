import {
  DeleteVectorsCommand,
  GetVectorsCommand,
  type GetVectorsCommandOutput,
  type PutInputVector,
  PutVectorsCommand,
  QueryVectorsCommand,
  type QueryVectorsCommandInput,
  type QueryVectorsCommandOutput,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { clientOptions, ofTheLayer, type TimeLimits } from '../../aws_clients.ts';
import type { EmbeddingModel } from '../../embeddings/embedder.ts';
import { InvalidConfiguration, InvalidRequest, UpstreamUnavailable } from '../../errors.ts';
import { RETRY_POLICIES, type RetryPorts, retrying } from '../../retry.ts';
import { mapSettled } from '../../settled_map.ts';
import { matches } from '../filter.ts';
import { idParts, sendInHalves } from '../packed_requests.ts';
import { type StoreSettings, storeVariables } from '../store_settings.ts';
import type {
  FilterCondition,
  QueryAnswer,
  StoredMetadata,
  StoredVector,
  UpsertOutcome,
  VectorCollection,
  VectorHit,
  VectorQuery,
  VectorRecord,
  VectorStore,
} from '../vector_store.ts';
import { indexArn, NON_FILTERABLE_KEYS, S3_VECTORS } from './declaration.ts';
import { packPuts } from './put_requests.ts';

/** 20 MiB on their way. */
const PUT_TIME: TimeLimits = { answer: 60_000, silence: 60_000 };

/**
 * A client for S3VectorsStore, in the region of the bucket. Credentials and endpoint are the environment's. It fails with the layer's
 * errors and does not retry.
 */
export function createS3VectorsClient(
  bucketArn: string,
  limits: TimeLimits = PUT_TIME,
): S3VectorsClient {
  const [, , , region = ''] = bucketArn.split(':');
  return ofTheLayer(new S3VectorsClient(clientOptions(limits, region)));
}

/** @see STORES */
export function openStore({ environment, model }: StoreSettings): S3VectorsStore {
  const { S3_VECTORS_BUCKET_ARN: bucketArn, S3_VECTORS_INDEX_SUFFIX: suffix } = storeVariables(
    's3_vectors',
    S3_VECTORS,
    environment,
  );
  const client = createS3VectorsClient(bucketArn);
  return new S3VectorsStore({ client, bucketArn, model, suffix });
}

export interface S3VectorsStoreOptions {
  /** As createS3VectorsClient makes it. */
  readonly client: Pick<S3VectorsClient, 'send'>;
  readonly bucketArn: string;
  /** Whose indexes they are. */
  readonly model: EmbeddingModel;
  /**
   * What their names end with.
   *
   * @default the dimensions
   */
  readonly suffix?: string | undefined;
  /** @default the system's */
  readonly ports?: RetryPorts;
}

/** Vectors in a request. */
const MOST_GOT = 100;
const MOST_DELETED = 500;

/**
 * Requests at once. An index takes 2,500 vectors and 1,000 requests a second, of all writers together: what is too fast for it waits,
 * by RETRY_POLICIES.
 */
const CONCURRENCY = 2;

/** How many results are looked through for a condition that S3 Vectors can't say. It gives at most 10,000. */
const LOOKED_THROUGH = 2_000;

/** What every region takes; since June 2026 most give more, page by page. */
const SURE_RESULTS = 100;

/** Vectors in the two indexes of one model in an S3 vector bucket (docs/data_model.md §7). */
export class S3VectorsStore implements VectorStore {
  readonly name = 's3_vectors';
  readonly #client: Pick<S3VectorsClient, 'send'>;
  readonly #bucketArn: string;
  readonly #model: EmbeddingModel;
  readonly #suffix: string | undefined;
  readonly #ports: RetryPorts | undefined;

  constructor({ client, bucketArn, model, suffix, ports }: S3VectorsStoreOptions) {
    this.#client = client;
    this.#bucketArn = bucketArn;
    this.#model = model;
    this.#suffix = suffix;
    this.#ports = ports;
  }

  /** Both indexes' ARNs in short: `arn:aws:s3vectors:…:bucket/receipts-1a2b/index/*-text-embedding-3-small-1536-5e6f`. */
  identity(): Promise<string> {
    const lines = this.#index('lines');
    return Promise.resolve(lines.replace('/index/lines-', '/index/*-'));
  }

  async upsert(
    collection: VectorCollection,
    records: readonly VectorRecord[],
  ): Promise<UpsertOutcome> {
    const index = this.#index(collection);
    const { upserts, refused } = packPuts(index, records);
    const put = (vectors: readonly PutInputVector[]) =>
      this.#try(() =>
        this.#client.send(new PutVectorsCommand({ indexArn: index, vectors: [...vectors] })),
      );
    const found = await mapSettled(
      upserts,
      ({ records: vectors }) => sendInHalves(vectors, ({ key = '' }) => key, put),
      { atOnce: CONCURRENCY },
    );
    const all = [...refused, ...found.flat()];
    return { stored: records.length - all.length, refused: all };
  }

  async remove(collection: VectorCollection, ids: readonly string[]): Promise<void> {
    const index = this.#index(collection);
    await mapSettled(
      idParts(ids, MOST_DELETED),
      (keys) =>
        this.#try(() => this.#client.send(new DeleteVectorsCommand({ indexArn: index, keys }))),
      { atOnce: CONCURRENCY },
    );
  }

  async query(collection: VectorCollection, query: VectorQuery): Promise<QueryAnswer> {
    const { vector, k, filter = [] } = query;
    const own = filter.filter(({ field }) => NOT_FILTERABLE.has(field));
    const topK = own.length > 0 ? LOOKED_THROUGH : k;
    const said = filterOf(filter.filter((condition) => !own.includes(condition)));
    const hits: VectorHit[] = [];
    let seen = 0;
    let nextToken: string | undefined;
    do {
      const page = await this.#queryPage(collection, vector, { topK, filter: said, nextToken });
      const found = (page.vectors ?? []).map(hitOf);
      hits.push(...found.filter(({ metadata }) => matches(metadata, own)));
      seen += found.length;
      nextToken = page.nextToken;
    } while (nextToken !== undefined && nextToken !== '' && seen < topK && hits.length < k);
    return {
      hits: hits.sort(byScore).slice(0, k),
      complete: own.length === 0 || hits.length >= k || seen < topK,
    };
  }

  async #queryPage(
    collection: VectorCollection,
    vector: Float32Array,
    page: { topK: number; filter: MetadataFilter | undefined; nextToken: string | undefined },
  ): Promise<QueryVectorsCommandOutput> {
    const command = new QueryVectorsCommand({
      indexArn: this.#index(collection),
      queryVector: { float32: [...vector] },
      returnMetadata: true,
      returnDistance: true,
      ...page,
    });
    try {
      return await this.#try(() => this.#client.send(command));
    } catch (error) {
      if (!(error instanceof InvalidRequest) || page.topK <= SURE_RESULTS) throw error;
      throw new InvalidRequest(
        `${error.message}; S3 Vectors of this region may give at most ${SURE_RESULTS} results: ask for no more`,
        error,
      );
    }
  }

  async fetch(collection: VectorCollection, ids: readonly string[]): Promise<StoredVector[]> {
    const index = this.#index(collection);
    const request = { indexArn: index, returnData: true, returnMetadata: true };
    const answers = await mapSettled(
      idParts(ids, MOST_GOT),
      (keys) => this.#try(() => this.#client.send(new GetVectorsCommand({ ...request, keys }))),
      { atOnce: CONCURRENCY },
    );
    const found = new Map(
      answers.flatMap(({ vectors = [] }) => vectors.map(storedOf)).map((of) => [of.id, of]),
    );
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /** Of no request: an index's dimensions are in its name. */
  checkDimension(dimensions: number): Promise<void> {
    if (dimensions === this.#model.dimensions) return Promise.resolve();
    return Promise.reject(
      new InvalidConfiguration(
        `the indexes of S3 Vectors are of ${this.#model.dimensions} dimensions, and the embedding model gives ${dimensions}: run \`pulumi up\`, which makes indexes of ${dimensions}`,
      ),
    );
  }

  #index(collection: VectorCollection): string {
    return indexArn(this.#bucketArn, collection, this.#model, this.#suffix);
  }

  #try<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    return retrying(RETRY_POLICIES.s3_vectors, send, this.#ports);
  }
}

const NOT_FILTERABLE: ReadonlySet<string> = new Set(NON_FILTERABLE_KEYS);

type MetadataFilter = NonNullable<QueryVectorsCommandInput['filter']>;

/** `$eq` on a list finds any of its elements. */
function filterOf(conditions: readonly FilterCondition[]): MetadataFilter | undefined {
  const clauses = conditions.map((condition) => ({
    [condition.field]: { $eq: 'equals' in condition ? condition.equals : condition.contains },
  }));
  return clauses.length > 1 ? { $and: clauses } : clauses[0];
}

function hitOf({
  key,
  distance,
  metadata,
}: NonNullable<QueryVectorsCommandOutput['vectors']>[number]): VectorHit {
  if (key === undefined || distance === undefined) throw unreadable('QueryVectors');
  return { id: key, score: 1 - distance, metadata: (metadata ?? {}) as StoredMetadata };
}

function storedOf({
  key,
  data,
  metadata,
}: NonNullable<GetVectorsCommandOutput['vectors']>[number]): StoredVector {
  if (key === undefined || data?.float32 === undefined) throw unreadable('GetVectors');
  return {
    id: key,
    vector: Float32Array.from(data.float32),
    metadata: (metadata ?? {}) as StoredMetadata,
  };
}

function unreadable(operation: string): UpstreamUnavailable {
  return new UpstreamUnavailable(`the answer to ${operation} can not be read`);
}

function byScore(a: VectorHit, b: VectorHit): number {
  return b.score - a.score || (a.id < b.id ? -1 : 1);
}
