import type { Service, ServiceRequest, WholeResponse } from '../http/service.ts';
import { errorAnswer, notImplemented, S3Error } from './answers.ts';
import {
  type Address,
  BucketStore,
  ONLY_VERSION,
  type Operation,
  type StoredObject,
} from './bucket.ts';
import { listObjectsV2, listObjectVersions } from './listing.ts';
import {
  DEFAULT_CONTENT_TYPE,
  deleteObject,
  getObject,
  headObject,
  putObject,
} from './object_operations.ts';

export type { StoredObject } from './bucket.ts';

export interface S3StandInOptions {
  /** The source of LastModified. */
  readonly clock: () => Date;
}

/**
 * S3 in memory: one account, no versioning, so that each object is its only version, `null`. Over HTTP it speaks path-style S3; the other
 * services of the embedded AWS reach its objects directly.
 */
export class S3StandIn {
  readonly #store: BucketStore;
  #requestCount = 0;

  constructor({ clock }: S3StandInOptions) {
    this.#store = new BucketStore(clock);
  }

  /** @throws S3Error InvalidBucketName, BucketAlreadyOwnedByYou */
  createBucket(name: string): void {
    this.#store.create(name);
  }

  /**
   * @returns the object itself, not a copy.
   * @throws S3Error NoSuchBucket
   */
  getObject(bucket: string, key: string): StoredObject | undefined {
    return this.#store.bucket(bucket).get(key);
  }

  /**
   * Stores a copy of `body`.
   *
   * @param options contentType: binary/octet-stream by default, as S3's own.
   * @throws S3Error NoSuchBucket
   */
  putObject(
    bucket: string,
    key: string,
    body: Buffer,
    options: { readonly contentType?: string } = {},
  ): void {
    const { contentType = DEFAULT_CONTENT_TYPE } = options;
    const description = { contentType, metadata: {}, headers: {} };
    const object = this.#store.newObject(Buffer.from(body), description, undefined);
    this.#store.bucket(bucket).put(key, object);
  }

  /**
   * @returns all keys with the prefix, in UTF-8 binary order.
   * @throws S3Error NoSuchBucket
   */
  listKeys(bucket: string, prefix: string): string[] {
    const keys = this.#store.bucket(bucket).sortedKeys();
    return keys.filter((key) => key.startsWith(prefix));
  }

  /** Answers one path-style request; S3's errors are answers too. */
  readonly handle: Service = (request) => {
    this.#requestCount += 1;
    const requestId = this.#requestCount.toString(16).toUpperCase().padStart(16, '0');
    const answer = this.#answer(request);
    return Promise.resolve({
      ...answer,
      headers: { ...answer.headers, 'x-amz-request-id': requestId, server: 'AmazonS3' },
    });
  };

  #answer(request: ServiceRequest): WholeResponse {
    try {
      const address = decodeAddress(request.path);
      const name = operationName(request, address);
      const operation = OPERATIONS[name];
      if (operation === undefined) throw notImplemented(name);
      requireSupported(request);
      return operation({ request, store: this.#store, ...address });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      const answer = errorAnswer(error);
      return request.method === 'HEAD' ? { ...answer, body: '' } : answer;
    }
  }
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  PutObject: putObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
};

/** Operations that AWS does not name after their method, level and subresource. */
const IRREGULAR_NAMES: Readonly<Record<string, string>> = {
  GetService: 'ListBuckets',
  PutBucket: 'CreateBucket',
  GetBucket: 'ListObjects',
  'GetBucketList-type': 'ListObjectsV2',
  GetBucketUploads: 'ListMultipartUploads',
  GetBucketVersions: 'ListObjectVersions',
  PostBucketDelete: 'DeleteObjects',
  PutObjectCopy: 'CopyObject',
  PostObjectUploads: 'CreateMultipartUpload',
  PutObjectUploadId: 'UploadPart',
  PutObjectUploadIdCopy: 'UploadPartCopy',
  PostObjectUploadId: 'CompleteMultipartUpload',
  GetObjectUploadId: 'ListParts',
  DeleteObjectUploadId: 'AbortMultipartUpload',
};

/** Query parameters that are settings of an operation; by every other one S3 tells operations apart. */
const SETTINGS =
  /^(?:x-id|x-amz-.*|X-Amz-.*|response-.*|versionId|partNumber|prefix|delimiter|max-keys|encoding-type|continuation-token|start-after|fetch-owner|key-marker|version-id-marker)$/;

/** What AWS calls the operation that a request asks for: `GET /bucket?versioning` is GetBucketVersioning. */
export function operationName(
  { method, query, headers }: Pick<ServiceRequest, 'method' | 'query' | 'headers'>,
  { bucket, key }: Address,
): string {
  const level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const subresource = [...query.keys()].find((name) => !SETTINGS.test(name)) ?? '';
  const copies = method === 'PUT' && headers['x-amz-copy-source'] !== undefined;
  const name = [method.toLowerCase(), level, subresource, copies ? 'copy' : '']
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  return IRREGULAR_NAMES[name] ?? name;
}

/** What would change the outcome and isn't built: it is refused, so that nobody takes it for done. */
const UNSUPPORTED_HEADERS = [
  'if-modified-since',
  'if-unmodified-since',
  'x-amz-object-lock-mode',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-tagging',
  'x-amz-write-offset-bytes',
];
const UNSUPPORTED_PARAMETERS = ['partNumber', 'versionId'];

function requireSupported({ method, headers, query }: ServiceRequest): void {
  const onlyVersion = method === 'DELETE' && query.get('versionId') === ONLY_VERSION;
  const unsupported =
    UNSUPPORTED_HEADERS.find((name) => headers[name] !== undefined) ??
    UNSUPPORTED_PARAMETERS.find(
      (name) => query.has(name) && !(name === 'versionId' && onlyVersion),
    );
  if (unsupported !== undefined) throw notImplemented(unsupported);
}

/** AWS's limit for a key, in UTF-8 bytes. */
const KEY_LIMIT = 1024;

/**
 * Takes a path-style path, `/{bucket}/{key}`, apart and decodes it. A key keeps its slashes, doubled ones too.
 *
 * @throws S3Error InvalidURI, KeyTooLongError
 */
export function decodeAddress(path: string): Address {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?([^]*)$/.exec(path) ?? [];
  const address = { bucket: decode(bucket), key: decode(key) };
  const size = Buffer.byteLength(address.key);
  if (size > KEY_LIMIT) {
    throw new S3Error(400, 'KeyTooLongError', 'Your key is too long', {
      Size: String(size),
      MaxSizeAllowed: String(KEY_LIMIT),
    });
  }
  return address;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.", { URI: text });
  }
}
