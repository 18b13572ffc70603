import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { decodeAddress } from './protocol/address.ts';
import { S3Error } from './protocol/s3_error.ts';
import { errorDocument, textElement } from './protocol/xml_writer.ts';
import { route } from './router.ts';
import type { StoredObject } from './storage/bucket.ts';
import { BucketStore, defaultRegion } from './storage/bucket_store.ts';
import { defaultContentType } from './storage/object_description.ts';
import { newObject } from './storage/object_version.ts';

export type { StoredObject } from './storage/bucket.ts';

export interface S3StandInOptions {
  /** Where LastModified and CreationDate come from. */
  readonly clock: () => Date;
}

export interface PutOptions {
  /** @default binary/octet-stream, as S3's own */
  readonly contentType?: string;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * S3 in memory: one account, no versions, no permissions, signatures not verified.
 * Over HTTP it speaks path-style S3; the other stand-ins reach its objects directly.
 */
export class S3StandIn {
  readonly #store: BucketStore;
  #requestCount = 0;

  constructor({ clock }: S3StandInOptions) {
    this.#store = new BucketStore(clock);
  }

  /**
   * Creates a bucket in us-east-1.
   *
   * @throws S3Error InvalidBucketName, BucketAlreadyOwnedByYou
   */
  createBucket(name: string): void {
    this.#store.create(name, defaultRegion);
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
   * @throws S3Error NoSuchBucket
   */
  putObject(bucket: string, key: string, body: Buffer, options: PutOptions = {}): void {
    const { contentType = defaultContentType, metadata = {} } = options;
    const description = { contentType, metadata, headers: {} };
    const object = newObject(Buffer.from(body), description, this.#store.now(), undefined);
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
    const answer = this.#answer(request, requestId);
    return Promise.resolve({
      ...answer,
      headers: { ...answer.headers, 'x-amz-request-id': requestId, server: 'AmazonS3' },
    });
  };

  #answer(request: ServiceRequest, requestId: string): ServiceResponse {
    try {
      const address = decodeAddress(request.path);
      const operation = route(request, address);
      return operation({ request, store: this.#store, ...address });
    } catch (error) {
      return errorAnswer(request, requestId, error);
    }
  }
}

function errorAnswer(request: ServiceRequest, requestId: string, error: unknown): ServiceResponse {
  const { status, code, message, details } =
    error instanceof S3Error
      ? error
      : new S3Error(500, 'InternalError', error instanceof Error ? error.message : String(error));
  const headers = { 'content-type': 'application/xml' };
  if (request.method === 'HEAD') return { status, headers };
  const body = errorDocument([
    textElement('Code', code),
    textElement('Message', message),
    ...Object.entries(details).map(([name, value]) => textElement(name, value)),
    textElement('Resource', request.path),
    textElement('RequestId', requestId),
  ]);
  return { status, headers, body };
}
