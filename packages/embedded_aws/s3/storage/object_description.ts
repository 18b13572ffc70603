import type { IncomingHttpHeaders } from 'node:http';
import { requestHeader } from '../protocol/request_header.ts';
import { S3Error } from '../protocol/s3_error.ts';
import type { ObjectDescription, StoredObject } from './bucket.ts';

/** S3's type for an object that was stored without one. */
export const defaultContentType = 'binary/octet-stream';

const metadataPrefix = 'x-amz-meta-';

/** AWS's limit for all user metadata of an object, names and values together, in bytes. */
const metadataLimit = 2048;

const keptHeaders = ['cache-control', 'content-disposition', 'content-language', 'expires'];

/**
 * Reads what a request says about the object that it stores.
 *
 * @throws S3Error MetadataTooLarge
 */
export function readDescription(headers: IncomingHttpHeaders): ObjectDescription {
  const kept = keptHeaders.flatMap((name) => entry(name, requestHeader(headers, name)));
  return {
    contentType: requestHeader(headers, 'content-type') ?? defaultContentType,
    metadata: readMetadata(headers),
    headers: Object.fromEntries([
      ...kept,
      ...entry('content-encoding', storedEncoding(requestHeader(headers, 'content-encoding'))),
    ]),
  };
}

/** The headers that give an object's description back. */
export function describe(object: StoredObject): Record<string, string> {
  const metadata = Object.entries(object.metadata).map(([name, value]) => [
    metadataPrefix + name,
    encodeMetadataValue(value),
  ]);
  return {
    'content-type': object.contentType,
    ...object.headers,
    ...(Object.fromEntries(metadata) as Record<string, string>),
    etag: object.etag,
    'last-modified': object.lastModified.toUTCString(),
  };
}

function readMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.keys(headers)
    .filter((name) => name.startsWith(metadataPrefix))
    .map(
      (name) => [name.slice(metadataPrefix.length), requestHeader(headers, name) ?? ''] as const,
    );
  const size = entries.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > metadataLimit) {
    throw new S3Error(
      400,
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
      { Size: String(size), MaxSizeAllowed: String(metadataLimit) },
    );
  }
  return Object.fromEntries(entries);
}

/** A header holds ASCII only: S3 gives anything else back as an RFC 2047 encoded word. */
function encodeMetadataValue(value: string): string {
  const isPlain = /^[\x20-\x7e]*$/.test(value);
  return isPlain ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`;
}

/** `aws-chunked` describes the transfer, so it isn't kept with the object. */
function storedEncoding(header: string | undefined): string | undefined {
  const codings = (header ?? '')
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'aws-chunked');
  return codings.length === 0 ? undefined : codings.join(',');
}

function entry(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}
