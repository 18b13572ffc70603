import { createHash } from 'node:crypto';
import type { ServiceRequest, WholeResponse } from '../http/service.ts';
import { S3Error } from './answers.ts';
import type { Checksum } from './payload.ts';

/** What a client says about an object beside its bytes. */
export interface ObjectDescription {
  readonly contentType: string;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Other headers that are stored and returned, names in lower case (`content-encoding`, `cache-control`, …). */
  readonly headers: Readonly<Record<string, string>>;
}

export interface StoredObject extends ObjectDescription {
  /** The bucket's own bytes: read them, never write into them. */
  readonly body: Buffer;
  /** The MD5 of the body, with its quotes. */
  readonly etag: string;
  /** To the second, as HTTP has it. */
  readonly lastModified: Date;
  readonly checksum: Checksum | undefined;
}

/** The version of every object of a bucket without versioning. */
export const ONLY_VERSION = 'null';

/** One bucket's objects. */
export class Bucket {
  readonly name: string;
  readonly #objects = new Map<string, StoredObject>();
  #sortedKeys: readonly string[] | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  put(key: string, object: StoredObject): void {
    if (!this.#objects.has(key)) this.#sortedKeys = undefined;
    this.#objects.set(key, object);
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#sortedKeys = undefined;
  }

  /** In UTF-8 binary order; sorted when first asked for after a change of the keys. */
  sortedKeys(): readonly string[] {
    this.#sortedKeys ??= [...this.#objects.keys()].sort(compareUtf8);
    return this.#sortedKeys;
  }
}

/** The account's buckets. */
export class BucketStore {
  readonly #clock: () => Date;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** @throws S3Error InvalidBucketName, BucketAlreadyOwnedByYou */
  create(name: string): void {
    const details = { BucketName: name };
    if (!isBucketName(name)) {
      throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.', details);
    }
    if (this.#buckets.has(name)) {
      throw new S3Error(
        409,
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        details,
      );
    }
    this.#buckets.set(name, new Bucket(name));
  }

  /** @throws S3Error NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket !== undefined) return bucket;
    throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist', {
      BucketName: name,
    });
  }

  /** An object that is written now. */
  newObject(
    body: Buffer,
    description: ObjectDescription,
    checksum: Checksum | undefined,
  ): StoredObject {
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    // S3 stores and answers no fractions of a second.
    const lastModified = new Date(Math.floor(this.#clock().getTime() / 1000) * 1000);
    return { ...description, body, etag, lastModified, checksum };
  }
}

/** AWS's rules for a general purpose bucket: 3 to 63 of a-z, 0-9, dot and hyphen, and no IP address. */
function isBucketName(name: string): boolean {
  return (
    /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name)
  );
}

/**
 * Compares two strings by their UTF-8 bytes, the order of S3's listings.
 *
 * JavaScript's own `<` compares UTF-16 units, which puts every character beyond U+FFFF (written with
 * surrogates, U+D800…U+DFFF) before U+E000…U+FFFF; UTF-8 puts it after.
 */
export function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  return isSurrogate ? unit + 0x10000 : unit;
}

export interface Address {
  /** `''` for a request to the service itself. */
  readonly bucket: string;
  /** Percent-decoded; `''` for a request to a bucket. */
  readonly key: string;
}

/** One request, its address taken apart. */
export interface S3Call extends Address {
  readonly request: ServiceRequest;
  readonly store: BucketStore;
}

/** One of S3's operations: an answer, or an S3Error thrown. */
export type Operation = (call: S3Call) => WholeResponse;
