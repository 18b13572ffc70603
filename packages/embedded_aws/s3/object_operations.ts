import type { IncomingHttpHeaders } from 'node:http';
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from './answers.ts';
import type { ObjectDescription, Operation, S3Call, StoredObject } from './bucket.ts';
import { checksumHeaders, readPayload } from './payload.ts';

/** S3's type for an object that was stored without one. */
export const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

const METADATA_PREFIX = 'x-amz-meta-';
/** AWS's limit for all user metadata of an object, names and values together, in bytes. */
const METADATA_LIMIT = 2048;
const STORED_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];

export const putObject: Operation = ({ request, store, key, ...call }) => {
  const { headers } = request;
  const bucket = store.bucket(call.bucket);
  requireLength(headers);
  const { body, checksum } = readPayload(request);
  requireWritable(headers, key, bucket.get(key));
  const object = store.newObject(body, readDescription(headers), checksum);
  bucket.put(key, object);
  return { status: 200, headers: { etag: object.etag, ...checksumHeaders(checksum) } };
};

export const getObject: Operation = (call) => {
  const object = requestedObject(call);
  const { headers } = call.request;
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !matches(ifMatch, object.etag)) throw preconditionFailed('If-Match');
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, object.etag)) {
    return { status: 304, headers: { etag: object.etag } };
  }
  const described = { ...describe(object), 'accept-ranges': 'bytes' };
  const range = readByteRange(headers.range, object.body.length);
  if (range !== undefined) {
    const { first, last } = range;
    return {
      status: 206,
      headers: { ...described, 'content-range': `bytes ${first}-${last}/${object.body.length}` },
      body: object.body.subarray(first, last + 1),
    };
  }
  const wantsChecksum = String(headers['x-amz-checksum-mode']).toUpperCase() === 'ENABLED';
  return {
    status: 200,
    headers: { ...described, ...(wantsChecksum ? checksumHeaders(object.checksum) : {}) },
    body: object.body,
  };
};

/** What getObject answers, with the body's length in place of the body. */
export const headObject: Operation = (call) => {
  const { body, headers, status } = getObject(call);
  return {
    status,
    headers: { ...headers, ...(body && { 'content-length': String(body.length) }) },
  };
};

export const deleteObject: Operation = ({ request, store, key, ...call }) => {
  const bucket = store.bucket(call.bucket);
  requireMatch(request.headers['if-match'], key, bucket.get(key));
  bucket.delete(key);
  return { status: 204 };
};

function requestedObject({ store, bucket, key }: S3Call): StoredObject {
  const object = store.bucket(bucket).get(key);
  if (object === undefined) throw noSuchKey(key);
  return object;
}

/** A body's length must be known before it comes. */
function requireLength(headers: IncomingHttpHeaders): void {
  const length = headers['content-length'] ?? headers['x-amz-decoded-content-length'];
  if (length !== undefined) return;
  throw new S3Error(
    411,
    'MissingContentLength',
    'You must provide the Content-Length HTTP header.',
  );
}

/**
 * Judges the conditions of a write against the object that exists now.
 *
 * @throws S3Error PreconditionFailed; NoSuchKey for `If-Match` without an object; NotImplemented for `If-None-Match`
 *   with an ETag, as S3 does.
 */
function requireWritable(
  headers: IncomingHttpHeaders,
  key: string,
  existing: StoredObject | undefined,
): void {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw notImplemented('If-None-Match with anything except * on a write');
  }
  if (ifNoneMatch !== undefined && existing !== undefined) {
    throw preconditionFailed('If-None-Match');
  }
  requireMatch(headers['if-match'], key, existing);
}

/** Judges an `If-Match` of a write or a deletion. */
function requireMatch(
  etags: string | undefined,
  key: string,
  existing: StoredObject | undefined,
): void {
  if (etags === undefined) return;
  if (existing === undefined) throw noSuchKey(key);
  if (!matches(etags, existing.etag)) throw preconditionFailed('If-Match');
}

/** ETags come with quotes, without, and weak: S3 takes all three. */
function matches(etags: string, etag: string): boolean {
  const unquoted = (text: string): string => text.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
  return etags
    .split(',')
    .map((candidate) => candidate.trim())
    .some((candidate) => candidate === '*' || unquoted(candidate) === unquoted(etag));
}

/**
 * Reads a `Range` header: `bytes=first-last`, `bytes=first-` or `bytes=-length`.
 *
 * @returns the first and the last byte; undefined for what S3 ignores: no header, another unit, several ranges, last
 *   before first.
 * @throws S3Error InvalidRange when no byte of the object lies in the range.
 */
function readByteRange(
  header: string | undefined,
  size: number,
): { readonly first: number; readonly last: number } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  if (first >= size) {
    throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable', {
      RangeRequested: header ?? '',
      ActualObjectSize: String(size),
    });
  }
  return { first, last: from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/** Reads what a request says about the object that it stores. */
function readDescription(headers: IncomingHttpHeaders): ObjectDescription {
  const stored = STORED_HEADERS.map((name) => [name, storedValue(name, headers[name])] as const);
  return {
    contentType: headers['content-type'] ?? DEFAULT_CONTENT_TYPE,
    metadata: readMetadata(headers),
    headers: Object.fromEntries(stored.filter(([, value]) => value !== '')),
  };
}

/** `aws-chunked` describes the transfer, so it isn't stored with the object. */
function storedValue(name: string, header: string | string[] = ''): string {
  const value = String(header);
  if (name !== 'content-encoding') return value;
  const codings = value.split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding !== 'aws-chunked').join(',');
}

function readMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers)
    .filter(([name]) => name.startsWith(METADATA_PREFIX))
    .map(([name, value]) => [name.slice(METADATA_PREFIX.length), String(value)] as const);
  const size = entries.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > METADATA_LIMIT) {
    throw new S3Error(
      400,
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
      { Size: String(size), MaxSizeAllowed: String(METADATA_LIMIT) },
    );
  }
  return Object.fromEntries(entries);
}

/** The headers that return an object's description. */
function describe(object: StoredObject): Record<string, string> {
  const metadata = Object.entries(object.metadata).map(([name, value]): [string, string] => [
    METADATA_PREFIX + name,
    encodeMetadataValue(value),
  ]);
  return {
    'content-type': object.contentType,
    ...object.headers,
    ...Object.fromEntries(metadata),
    etag: object.etag,
    'last-modified': object.lastModified.toUTCString(),
  };
}

/** A header holds ASCII only: S3 returns anything else as an RFC 2047 encoded word. */
function encodeMetadataValue(value: string): string {
  const isPlain = /^[\x20-\x7e]*$/.test(value);
  return isPlain ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`;
}
