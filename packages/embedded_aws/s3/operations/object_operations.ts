import type { IncomingHttpHeaders } from 'node:http';
import type { WholeResponse } from '../../http/service.ts';
import { readByteRange } from '../protocol/byte_range.ts';
import { checksumHeaders } from '../protocol/checksum.ts';
import { readPayload } from '../protocol/payload.ts';
import { isNotModified, requireMatch, requireWritable } from '../protocol/precondition.ts';
import { requestHeader } from '../protocol/request_header.ts';
import { noSuchKey, notImplemented } from '../protocol/s3_error.ts';
import {
  requireCurrentVersion,
  requireLength,
  requireSupportedWrite,
} from '../protocol/supported_request.ts';
import type { Operation, S3Call } from '../s3_call.ts';
import type { StoredObject } from '../storage/bucket.ts';
import { describe, readDescription } from '../storage/object_description.ts';
import { newObject } from '../storage/object_version.ts';

export const putObject: Operation = (call) => {
  const { request, store, key } = call;
  const bucket = store.bucket(call.bucket);
  requireLength(request.headers);
  requireSupportedWrite(request.headers);
  const { body, checksum } = readPayload(request);
  requireWritable(request.headers, key, bucket.get(key));
  const object = newObject(body, readDescription(request.headers), store.now(), checksum);
  bucket.put(key, object);
  return { status: 200, headers: { etag: object.etag, ...checksumHeaders(checksum) } };
};

export const getObject: Operation = (call) => {
  const object = requestedObject(call);
  const { headers, query } = call.request;
  if (isNotModified(headers, object)) return notModified(object);
  const range = readByteRange(requestHeader(headers, 'range'), object.body.length);
  const described = {
    ...describe(object),
    ...overriddenHeaders(query),
    'accept-ranges': 'bytes',
  };
  if (range === undefined) {
    return {
      status: 200,
      headers: { ...described, ...requestedChecksum(headers, object) },
      body: object.body,
    };
  }
  return {
    status: 206,
    headers: {
      ...described,
      'content-range': `bytes ${range.first}-${range.last}/${object.body.length}`,
    },
    body: object.body.subarray(range.first, range.last + 1),
  };
};

/** What getObject answers, with the body's length in place of the body. */
export const headObject: Operation = (call) => {
  const { body, headers, status } = getObject(call);
  if (status === 304) return { status, ...(headers && { headers }) };
  return { status, headers: { ...headers, 'content-length': String(body?.length ?? 0) } };
};

export const deleteObject: Operation = (call) => {
  const { request, store, key } = call;
  const bucket = store.bucket(call.bucket);
  requireCurrentVersion(request.query);
  requireMatch(requestHeader(request.headers, 'if-match'), key, bucket.get(key));
  bucket.delete(key);
  return { status: 204 };
};

function requestedObject({ request, store, bucket, key }: S3Call): StoredObject {
  const object = store.bucket(bucket).get(key);
  requireCurrentVersion(request.query);
  if (request.query.has('partNumber')) throw notImplemented('Reading an object by partNumber');
  if (object === undefined) throw noSuchKey(key);
  return object;
}

function requestedChecksum(
  headers: IncomingHttpHeaders,
  object: StoredObject,
): Record<string, string> {
  const mode = requestHeader(headers, 'x-amz-checksum-mode')?.toUpperCase();
  return mode === 'ENABLED' ? checksumHeaders(object.checksum) : {};
}

function notModified(object: StoredObject): WholeResponse {
  return {
    status: 304,
    headers: { etag: object.etag, 'last-modified': object.lastModified.toUTCString() },
  };
}

/** `response-content-type` and its like, which presigned links use. */
function overriddenHeaders(query: URLSearchParams): Record<string, string> {
  const names = [
    'cache-control',
    'content-disposition',
    'content-encoding',
    'content-language',
    'content-type',
    'expires',
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = query.get(`response-${name}`);
      return value === null ? [] : [[name, value]];
    }),
  );
}
