import type { Service, ServiceResponse } from '../http/service.ts';
import { answer, errorAnswer, notImplemented, VectorsError } from './answers.ts';
import type { MissingKeys } from './filter.ts';
import { type Page, pageByName } from './pages.ts';
import {
  isOperation,
  type OperationName,
  operationName,
  parseRequest,
  type RequestOf,
} from './requests.ts';
import {
  type IndexAddress,
  type IndexDescription,
  type NamedIndex,
  type VectorBucket,
  VectorBuckets,
  type VectorsHome,
} from './vector_buckets.ts';
import type { VectorIndex } from './vector_index.ts';
import {
  deleteVectors,
  getVectors,
  listVectors,
  putVectors,
  queryVectors,
} from './vector_operations.ts';
import { WriteAllowance, type WriteLimit } from './write_limit.ts';

/** S3 Vectors, with exact search: what is written is found by the next request. */
export class S3VectorsStandIn {
  /**
   * Whether `$ne` and `$nin` keep vectors that do not have the key, which AWS does not document.
   *
   * @default dropped
   */
  missingKeys: MissingKeys = 'dropped';
  readonly #buckets: VectorBuckets;
  #limit: WriteLimit | undefined;
  #allowances = new WeakMap<NamedIndex, WriteAllowance>();

  constructor({ clock, ...home }: VectorsHome & { readonly clock: () => Date }) {
    this.#buckets = new VectorBuckets(home, clock);
  }

  /** @throws VectorsError */
  createVectorBucket(name: string): void {
    this.#buckets.createBucket(name);
  }

  /** @throws VectorsError */
  createIndex(description: IndexDescription): void {
    this.#buckets.createIndex(description);
  }

  /**
   * The vectors of an index: to fill it, or to look into it, without a request.
   *
   * @throws VectorsError when there is none.
   */
  vectors(address: IndexAddress): VectorIndex {
    return this.#buckets.index(address).vectors;
  }

  /**
   * Bounds what is written to each index, requests and vectors a second. Without it there is no bound.
   *
   * @returns takes the bound away.
   */
  limitWrites(limit: WriteLimit = {}): () => void {
    this.#limit = limit;
    this.#allowances = new WeakMap();
    return () => {
      this.#limit = undefined;
    };
  }

  readonly handle: Service = (request) =>
    Promise.resolve(this.#answer(operationName(request), request.body));

  #answer(operation: string, body: Buffer): ServiceResponse {
    try {
      if (!isOperation(operation)) throw notImplemented(operation);
      return answer(this.#perform(operation, body));
    } catch (error) {
      if (error instanceof VectorsError) return errorAnswer(error);
      throw error;
    }
  }

  #perform(operation: OperationName, body: Buffer): object {
    const buckets = this.#buckets;
    switch (operation) {
      case 'CreateVectorBucket': {
        const { vectorBucketName } = parseRequest(operation, body);
        return { vectorBucketArn: buckets.createBucket(vectorBucketName).arn };
      }
      case 'GetVectorBucket':
        return { vectorBucket: describeBucket(buckets.bucket(parseRequest(operation, body))) };
      case 'DeleteVectorBucket':
        buckets.deleteBucket(parseRequest(operation, body));
        return {};
      case 'ListVectorBuckets': {
        const page = pageByName(buckets.buckets, parseRequest(operation, body));
        return listed('vectorBuckets', page, summaryOfBucket);
      }
      case 'CreateIndex':
        return this.#createIndex(parseRequest(operation, body));
      case 'GetIndex':
        return { index: describeIndex(buckets.index(parseRequest(operation, body))) };
      case 'DeleteIndex':
        buckets.deleteIndex(parseRequest(operation, body));
        return {};
      case 'ListIndexes': {
        const request = parseRequest(operation, body);
        const page = pageByName(buckets.bucket(request).indexes, request);
        return listed('indexes', page, summaryOfIndex);
      }
      case 'PutVectors': {
        const request = parseRequest(operation, body);
        return putVectors(this.#written(request, request.vectors.length), request);
      }
      case 'GetVectors': {
        const request = parseRequest(operation, body);
        return getVectors(buckets.index(request), request);
      }
      case 'DeleteVectors': {
        const request = parseRequest(operation, body);
        return deleteVectors(this.#written(request, request.keys.length), request);
      }
      case 'ListVectors': {
        const request = parseRequest(operation, body);
        return listVectors(buckets.index(request), request);
      }
      case 'QueryVectors': {
        const request = parseRequest(operation, body);
        return queryVectors(buckets.index(request), request, this.missingKeys);
      }
    }
  }

  #createIndex(request: RequestOf<'CreateIndex'>): object {
    const { metadataConfiguration } = request;
    if ((metadataConfiguration?.textSearchConfigurations.length ?? 0) > 0) {
      throw notImplemented('A text search configuration');
    }
    const { indexName, dimension, distanceMetric } = request;
    const { arn } = this.#buckets.createIndex({
      vectorBucketName: this.#buckets.bucket(request).name,
      indexName,
      dimension,
      distanceMetric,
      nonFilterableMetadataKeys: metadataConfiguration?.nonFilterableMetadataKeys,
    });
    return { indexArn: arn };
  }

  /** The index that is written to. @throws VectorsError when the limit, if there is one, is exceeded. */
  #written(address: IndexAddress, vectors: number): NamedIndex {
    const index = this.#buckets.index(address);
    if (this.#limit === undefined) return index;
    const allowance = this.#allowances.get(index) ?? new WriteAllowance(this.#limit);
    this.#allowances.set(index, allowance);
    allowance.take(vectors);
    return index;
  }
}

function listed<Item>(
  member: string,
  { items, nextToken }: Page<Item>,
  summaryOf: (item: Item) => object,
): object {
  return { [member]: items.map(summaryOf), nextToken };
}

/** As the protocol has times. */
function epochSeconds(date: Date): number {
  return date.getTime() / 1_000;
}

const ENCRYPTION = { sseType: 'AES256' };
/** Filters are applied before the search. */
const MODE = 'ENHANCED';

function summaryOfBucket({ name, arn, created }: VectorBucket): object {
  return { vectorBucketName: name, vectorBucketArn: arn, creationTime: epochSeconds(created) };
}

function describeBucket(bucket: VectorBucket): object {
  const more = { encryptionConfiguration: ENCRYPTION, defaultIndexMode: MODE };
  return { ...summaryOfBucket(bucket), ...more };
}

function summaryOfIndex({ bucketName, name, arn, created }: NamedIndex): object {
  return {
    vectorBucketName: bucketName,
    indexName: name,
    indexArn: arn,
    creationTime: epochSeconds(created),
  };
}

function describeIndex(index: NamedIndex): object {
  return {
    ...summaryOfIndex(index),
    dataType: 'float32',
    dimension: index.vectors.dimension,
    distanceMetric: 'cosine',
    ...(index.nonFilterable.length === 0
      ? {}
      : { metadataConfiguration: { nonFilterableMetadataKeys: index.nonFilterable } }),
    encryptionConfiguration: ENCRYPTION,
    indexMode: MODE,
  };
}
