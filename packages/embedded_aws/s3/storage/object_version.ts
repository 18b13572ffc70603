import { createHash } from 'node:crypto';
import type { Checksum } from '../protocol/checksum.ts';
import type { ObjectDescription, StoredObject } from './bucket.ts';

/** An object that was written in one piece. */
export function newObject(
  body: Buffer,
  description: ObjectDescription,
  lastModified: Date,
  checksum: Checksum | undefined,
): StoredObject {
  return { ...description, body, etag: etagOf(body), lastModified, checksum };
}

/** The quoted MD5 of the bytes. */
export function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

/** The ETag of a multipart object: the MD5 of its parts' MD5s, and their number. */
export function multipartEtag(partEtags: readonly string[]): string {
  const digests = Buffer.concat(partEtags.map((etag) => Buffer.from(etag.slice(1, -1), 'hex')));
  return `"${createHash('md5').update(digests).digest('hex')}-${partEtags.length}"`;
}
