import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { InvalidConfiguration } from 'receipt-embedding/errors';

interface Version {
  readonly id: string;
  /** Undefined for the marker of a deletion. */
  readonly body: Buffer | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Pages of a listing are this small, so that tests have several. */
const PAGE = 3;

/**
 * Buckets with versioning in memory, for what the embedded S3 does not have: a deletion leaves a marker, a write leaves what was there, and
 * only a version that is named is gone for good.
 */
export class VersionedBuckets {
  readonly #objects = new Map<string, Version[]>();
  #made = 0;
  /** Deletes that still succeed; the one after them fails. */
  deletesLeft = Infinity;

  /** The part of a client that is used. */
  get client(): S3Client {
    return { send: (command: object) => this.#send(command) } as unknown as S3Client;
  }

  put(bucket: string, key: string, text: string, metadata: Version['metadata'] = {}): void {
    this.#write(`${bucket}/${key}`, { body: Buffer.from(text), metadata });
  }

  /** As a lifecycle or a person deletes: what was there is an old version then. */
  delete(bucket: string, key: string): void {
    this.#write(`${bucket}/${key}`, { body: undefined, metadata: {} });
  }

  /** What a reader gets; undefined where there is nothing. */
  text(bucket: string, key: string): string | undefined {
    return this.#objects.get(`${bucket}/${key}`)?.[0]?.body?.toString();
  }

  /** How many versions there are of each key, markers included. */
  get versions(): Readonly<Record<string, number>> {
    const counts = [...this.#objects].map(([key, versions]) => [key, versions.length] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  #write(path: string, version: Omit<Version, 'id'>): void {
    const id = `v${++this.#made}`;
    this.#objects.set(path, [{ id, ...version }, ...(this.#objects.get(path) ?? [])]);
  }

  async #send(command: object): Promise<unknown> {
    if (command instanceof PutObjectCommand) {
      const { Bucket = '', Key = '', Body: body, Metadata: metadata = {} } = command.input;
      const bytes = body instanceof Readable ? await buffer(body) : Buffer.from(body as Buffer);
      this.#write(`${Bucket}/${Key}`, { body: bytes, metadata });
      return {};
    }
    if (command instanceof GetObjectCommand) {
      const { Bucket = '', Key = '' } = command.input;
      const found = this.#objects.get(`${Bucket}/${Key}`)?.[0]?.body;
      if (found === undefined) throw missing('NoSuchKey');
      return { Body: Readable.from([found]) };
    }
    if (command instanceof HeadObjectCommand) {
      const { Bucket = '', Key = '', VersionId: id } = command.input;
      const versions = this.#objects.get(`${Bucket}/${Key}`) ?? [];
      const found = id === undefined ? versions[0] : versions.find((version) => version.id === id);
      if (found?.body === undefined) throw missing('NotFound');
      return { Metadata: found.metadata };
    }
    if (command instanceof DeleteObjectCommand) {
      const { Bucket = '', Key = '', VersionId: id } = command.input;
      if (this.deletesLeft-- <= 0) throw new Error('the machine is gone');
      const path = `${Bucket}/${Key}`;
      const versions = this.#objects.get(path) ?? [];
      this.#objects.set(
        path,
        versions.filter((version) => version.id !== id),
      );
      return {};
    }
    if (command instanceof ListObjectsV2Command) {
      const { Bucket = '', Prefix = '' } = command.input;
      const keys = this.#keys(Bucket, Prefix).filter((key) => this.text(Bucket, key) !== undefined);
      const folders = keys.map(
        (key) => `${Prefix}${key.slice(Prefix.length).split('/')[0] ?? ''}/`,
      );
      return { CommonPrefixes: [...new Set(folders)].map((folder) => ({ Prefix: folder })) };
    }
    if (command instanceof ListObjectVersionsCommand) {
      const { Bucket = '', Prefix = '', KeyMarker = '', VersionIdMarker = '' } = command.input;
      const all = this.#keys(Bucket, Prefix).flatMap((key) =>
        (this.#objects.get(`${Bucket}/${key}`) ?? []).map(({ id, body }, at) => ({
          Key: key,
          VersionId: id,
          IsLatest: at === 0,
          body,
        })),
      );
      const from =
        1 +
        all.findIndex(({ Key, VersionId }) => Key === KeyMarker && VersionId === VersionIdMarker);
      const page = all.slice(from, from + PAGE);
      return {
        Versions: page
          .filter(({ body }) => body !== undefined)
          .map(({ body, ...version }) => ({ ...version, Size: body?.length })),
        DeleteMarkers: page.filter(({ body }) => body === undefined),
        IsTruncated: from + PAGE < all.length,
        NextKeyMarker: page.at(-1)?.Key,
        NextVersionIdMarker: page.at(-1)?.VersionId,
      };
    }
    throw new TypeError(`what is this? ${command.constructor.name}`);
  }

  #keys(bucket: string, prefix: string): string[] {
    return [...this.#objects.keys()]
      .filter((path) => path.startsWith(`${bucket}/${prefix}`))
      .map((path) => path.slice(bucket.length + 1))
      .sort();
  }
}

function missing(code: string): InvalidConfiguration {
  return new InvalidConfiguration('it does not exist', { vendor_code: code });
}
