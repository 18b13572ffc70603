import { conflict, invalidField, notFound, notImplemented, VectorsError } from './answers.ts';
import { VectorIndex } from './vector_index.ts';

/** Where vector buckets are at home. */
export interface VectorsHome {
  readonly region: string;
  readonly accountId: string;
}

export interface VectorBucket {
  readonly name: string;
  readonly arn: string;
  readonly created: Date;
  readonly indexes: Map<string, NamedIndex>;
}

/** An index, as it was created: nothing of it can be changed. */
export interface NamedIndex {
  readonly bucketName: string;
  readonly name: string;
  readonly arn: string;
  readonly created: Date;
  readonly nonFilterable: readonly string[];
  readonly vectors: VectorIndex;
}

/** What an index is created with. */
export interface IndexDescription {
  readonly vectorBucketName: string;
  readonly indexName: string;
  /** From 1 to 4,096. */
  readonly dimension: number;
  /** `cosine`: the embedded AWS knows no other. */
  readonly distanceMetric: string;
  /** @default none */
  readonly nonFilterableMetadataKeys?: readonly string[] | undefined;
}

/** How a request names a bucket: by one of both. */
export interface BucketAddress {
  readonly vectorBucketName?: string | undefined;
  readonly vectorBucketArn?: string | undefined;
}

/** How a request names an index: by both names, or by its ARN. */
export interface IndexAddress {
  readonly vectorBucketName?: string | undefined;
  readonly indexName?: string | undefined;
  readonly indexArn?: string | undefined;
}

// Of buckets and indexes: an index's name may also have full stops.
const BUCKET_NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const INDEX_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** The account's vector buckets, and what is in them. */
export class VectorBuckets {
  readonly buckets = new Map<string, VectorBucket>();
  readonly #home: VectorsHome;
  readonly #clock: () => Date;

  constructor(home: VectorsHome, clock: () => Date) {
    this.#home = home;
    this.#clock = clock;
  }

  /** @throws VectorsError for a name that is none, or is taken. */
  createBucket(name: string): VectorBucket {
    if (!BUCKET_NAME.test(name)) {
      throw invalidField('/vectorBucketName', 'Invalid vector bucket name');
    }
    if (this.buckets.has(name)) {
      throw conflict('A vector bucket with the specified name already exists');
    }
    const bucket = { name, arn: this.#arn(name), created: this.#clock(), indexes: new Map() };
    this.buckets.set(name, bucket);
    return bucket;
  }

  /** @throws VectorsError while it has indexes. A bucket that does not exist is none to delete. */
  deleteBucket(address: BucketAddress): void {
    const name = this.#bucketName(address);
    if ((this.buckets.get(name)?.indexes.size ?? 0) > 0) {
      throw conflict('The specified vector bucket is not empty');
    }
    this.buckets.delete(name);
  }

  /** @throws VectorsError when there is no such bucket. */
  bucket(address: BucketAddress): VectorBucket {
    const bucket = this.buckets.get(this.#bucketName(address));
    if (bucket === undefined) throw notFound('vector bucket');
    return bucket;
  }

  /** @throws VectorsError for a name that is none, or is taken, a bucket that is not there, and another metric than cosine. */
  createIndex(description: IndexDescription): NamedIndex {
    const { vectorBucketName, indexName: name, dimension, distanceMetric } = description;
    const { nonFilterableMetadataKeys: nonFilterable = [] } = description;
    if (!INDEX_NAME.test(name)) throw invalidField('/indexName', 'Invalid index name');
    if (distanceMetric !== 'cosine') throw notImplemented(`The metric ${distanceMetric}`);
    const { indexes } = this.bucket({ vectorBucketName });
    if (indexes.has(name)) throw conflict('An index with the specified name already exists');
    const index = {
      bucketName: vectorBucketName,
      name,
      arn: `${this.#arn(vectorBucketName)}/index/${name}`,
      created: this.#clock(),
      nonFilterable,
      vectors: new VectorIndex(dimension),
    };
    indexes.set(name, index);
    return index;
  }

  /** With its vectors. An index that does not exist is none to delete. */
  deleteIndex(address: IndexAddress): void {
    const [bucketName, indexName] = this.#indexNames(address);
    this.buckets.get(bucketName)?.indexes.delete(indexName);
  }

  /** @throws VectorsError when there is no such index. */
  index(address: IndexAddress): NamedIndex {
    const [bucketName, indexName] = this.#indexNames(address);
    const index = this.buckets.get(bucketName)?.indexes.get(indexName);
    if (index === undefined) throw notFound('index');
    return index;
  }

  #arn(bucketName: string): string {
    const { region, accountId } = this.#home;
    return `arn:aws:s3vectors:${region}:${accountId}:bucket/${bucketName}`;
  }

  #bucketName({ vectorBucketName, vectorBucketArn }: BucketAddress): string {
    if ((vectorBucketName === undefined) === (vectorBucketArn === undefined)) {
      throw wrongAddress('Must specify either vectorBucketName or vectorBucketArn');
    }
    if (vectorBucketName !== undefined) return vectorBucketName;
    const name = vectorBucketArn?.slice(this.#arn('').length) ?? '';
    // Of another account or region there is nothing here.
    if (this.#arn(name) !== vectorBucketArn) throw notFound('vector bucket');
    return name;
  }

  #indexNames({ vectorBucketName, indexName, indexArn }: IndexAddress): readonly [string, string] {
    const byName = vectorBucketName !== undefined && indexName !== undefined;
    const byArn = vectorBucketName === undefined && indexName === undefined;
    if (indexArn === undefined ? !byName : !byArn) {
      throw wrongAddress('Must specify either indexArn or both vectorBucketName and indexName');
    }
    if (byName) return [vectorBucketName, indexName];
    const [bucketName = '', name = ''] =
      indexArn?.slice(this.#arn('').length).split('/index/') ?? [];
    if (`${this.#arn(bucketName)}/index/${name}` !== indexArn) throw notFound('index');
    return [bucketName, name];
  }
}

function wrongAddress(message: string): VectorsError {
  return new VectorsError(400, 'ValidationException', message);
}
