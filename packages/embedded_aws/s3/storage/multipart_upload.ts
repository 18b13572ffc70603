import {
  type Checksum,
  type ChecksumType,
  compositeChecksum,
  computeChecksum,
} from '../protocol/checksum.ts';
import { checksumMismatch } from '../protocol/payload.ts';
import { unquote } from '../protocol/precondition.ts';
import { malformedXml, S3Error } from '../protocol/s3_error.ts';
import type { ObjectDescription, StoredObject } from './bucket.ts';
import { multipartEtag } from './object_version.ts';

export interface UploadedPart {
  readonly number: number;
  readonly body: Buffer;
  readonly etag: string;
  readonly lastModified: Date;
  readonly checksum: Checksum | undefined;
}

/** A multipart upload under way. */
export interface MultipartUpload {
  readonly id: string;
  readonly key: string;
  readonly initiated: Date;
  readonly description: ObjectDescription;
  /** What the object's checksum is to be, where the client named an algorithm. */
  readonly checksum: { readonly algorithm: string; readonly type: ChecksumType } | undefined;
  /** By part number, 1 to 10,000; a part that comes again replaces the one before. */
  readonly parts: Map<number, UploadedPart>;
}

/** A part as the client lists it to complete the upload. */
export interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksums: ReadonlyMap<string, string>;
}

/** AWS's least size of every part but the last: 5 MiB. */
export const leastPartSize = 5 * 1024 * 1024;

/**
 * Puts the listed parts together.
 *
 * @param declared the whole object's checksum, where the client sent it.
 * @throws S3Error MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall, BadDigest
 */
export function assemble(
  upload: MultipartUpload,
  listed: readonly ListedPart[],
  declared: Checksum | undefined,
  lastModified: Date,
): StoredObject {
  if (listed.length === 0) throw malformedXml();
  requireAscending(listed);
  const parts = listed.map((part) => uploadedPart(upload, part));
  for (const part of parts.slice(0, -1)) requireSize(part);
  const body = Buffer.concat(parts.map((part) => part.body));
  return {
    ...upload.description,
    body,
    etag: multipartEtag(parts.map((part) => part.etag)),
    lastModified,
    checksum: objectChecksum(upload, parts, body, declared),
  };
}

function requireAscending(listed: readonly ListedPart[]): void {
  let previous = 0;
  for (const { number } of listed) {
    if (number <= previous) {
      throw new S3Error(
        400,
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    previous = number;
  }
}

function uploadedPart(upload: MultipartUpload, listed: ListedPart): UploadedPart {
  const part = upload.parts.get(listed.number);
  const stored = part?.checksum;
  const isSame =
    part !== undefined &&
    unquote(part.etag) === unquote(listed.etag) &&
    (stored === undefined ||
      (listed.checksums.get(stored.algorithm) ?? stored.value) === stored.value);
  if (isSame) return part;
  throw new S3Error(
    400,
    'InvalidPart',
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId: upload.id, PartNumber: String(listed.number), ETag: unquote(listed.etag) },
  );
}

function requireSize(part: UploadedPart): void {
  if (part.body.length >= leastPartSize) return;
  throw new S3Error(
    400,
    'EntityTooSmall',
    'Your proposed upload is smaller than the minimum allowed size',
    {
      ProposedSize: String(part.body.length),
      MinSizeAllowed: String(leastPartSize),
      PartNumber: String(part.number),
      ETag: unquote(part.etag),
    },
  );
}

function objectChecksum(
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
  body: Buffer,
  declared: Checksum | undefined,
): Checksum | undefined {
  const calculated = calculatedChecksum(upload, parts, body);
  if (declared === undefined) return calculated;
  const own = calculated?.algorithm === declared.algorithm ? calculated.value : undefined;
  const expected = own ?? computeChecksum(declared.algorithm, body) ?? declared.value;
  if (declared.value !== expected) throw checksumMismatch(declared.algorithm);
  return calculated ?? declared;
}

function calculatedChecksum(
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
  body: Buffer,
): Checksum | undefined {
  if (upload.checksum === undefined) return undefined;
  const { algorithm, type } = upload.checksum;
  if (type === 'FULL_OBJECT') {
    const value = computeChecksum(algorithm, body);
    return value === undefined ? undefined : { algorithm, value, type };
  }
  const values = parts.flatMap(({ checksum }) =>
    checksum?.algorithm === algorithm ? [checksum.value] : [],
  );
  return values.length === parts.length ? compositeChecksum(algorithm, values) : undefined;
}
