import { noSuchBucket, S3Error } from '../protocol/s3_error.ts';
import { Bucket } from './bucket.ts';
import { compareUtf8 } from './utf8_order.ts';

export const defaultRegion = 'us-east-1';

/** The account's buckets. */
export class BucketStore {
  readonly #clock: () => Date;
  readonly #buckets = new Map<string, Bucket>();
  #uploadCount = 0;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** The clock's time cut to the second: S3 keeps and answers no fractions. */
  now(): Date {
    return new Date(Math.floor(this.#clock().getTime() / 1000) * 1000);
  }

  /** Unique within this store. */
  nextUploadId(): string {
    this.#uploadCount += 1;
    return `upload-${String(this.#uploadCount).padStart(16, '0')}`;
  }

  /** @throws S3Error InvalidBucketName, BucketAlreadyOwnedByYou */
  create(name: string, region: string): void {
    if (!isBucketName(name)) {
      throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.', {
        BucketName: name,
      });
    }
    if (this.#buckets.has(name)) {
      throw new S3Error(
        409,
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        { BucketName: name },
      );
    }
    this.#buckets.set(name, new Bucket(name, region, this.now()));
  }

  /** @throws S3Error NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return bucket;
  }

  /** Sorted by name. */
  list(): Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => compareUtf8(a.name, b.name));
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
