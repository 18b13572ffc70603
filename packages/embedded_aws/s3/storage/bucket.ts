import type { Checksum } from '../protocol/checksum.ts';
import type { MultipartUpload } from './multipart_upload.ts';
import { compareUtf8 } from './utf8_order.ts';

/** What a client says about an object beside its bytes. */
export interface ObjectDescription {
  readonly contentType: string;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Other headers that are kept and given back, names in lower case (`content-encoding`, `cache-control`, …). */
  readonly headers: Readonly<Record<string, string>>;
}

export interface StoredObject extends ObjectDescription {
  /** The bucket's own bytes: read them, never write into them. */
  readonly body: Buffer;
  /** With its quotes: the MD5 of the body, or for a multipart object the MD5 of its parts' MD5s and `-{parts}`. */
  readonly etag: string;
  /** To the second, as HTTP has it. */
  readonly lastModified: Date;
  readonly checksum: Checksum | undefined;
}

/** One bucket's objects and its multipart uploads under way. */
export class Bucket {
  readonly name: string;
  readonly region: string;
  readonly createdAt: Date;
  /** By upload id, in the order of their creation. */
  readonly uploads = new Map<string, MultipartUpload>();
  readonly #objects = new Map<string, StoredObject>();
  #sortedKeys: readonly string[] | undefined;

  constructor(name: string, region: string, createdAt: Date) {
    this.name = name;
    this.region = region;
    this.createdAt = createdAt;
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
