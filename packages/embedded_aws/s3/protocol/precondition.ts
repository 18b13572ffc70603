import type { IncomingHttpHeaders } from 'node:http';
import type { StoredObject } from '../storage/bucket.ts';
import { requestHeader } from './request_header.ts';
import { noSuchKey, notImplemented, preconditionFailed } from './s3_error.ts';

/**
 * Judges the conditions of a read (RFC 9110 §13.2.2: an ETag condition hides the date condition beside it).
 *
 * @returns whether the answer is 304 instead of the object.
 * @throws S3Error PreconditionFailed
 */
export function isNotModified(headers: IncomingHttpHeaders, object: StoredObject): boolean {
  const { failed, notModified } = judge(headers, '', object);
  if (failed !== undefined) throw preconditionFailed(failed);
  return notModified !== undefined;
}

/**
 * Judges the `x-amz-copy-source-if-…` conditions, where "not modified" is a failure too.
 *
 * @throws S3Error PreconditionFailed
 */
export function requireCopySource(headers: IncomingHttpHeaders, source: StoredObject): void {
  const { failed, notModified } = judge(headers, 'x-amz-copy-source-', source);
  const condition = failed ?? notModified;
  if (condition !== undefined) throw preconditionFailed(`x-amz-copy-source-${condition}`);
}

/**
 * Judges the conditions of a write against the object that is there now.
 *
 * @throws S3Error PreconditionFailed; NoSuchKey for `If-Match` without an object; NotImplemented for `If-None-Match`
 *   with an ETag, as S3 does.
 */
export function requireWritable(
  headers: IncomingHttpHeaders,
  key: string,
  existing: StoredObject | undefined,
): void {
  const ifNoneMatch = requestHeader(headers, 'if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw notImplemented('If-None-Match with anything but * on a write');
  }
  if (ifNoneMatch !== undefined && existing !== undefined) {
    throw preconditionFailed('If-None-Match');
  }
  requireMatch(requestHeader(headers, 'if-match'), key, existing);
}

/**
 * Judges an `If-Match` of a write or a deletion.
 *
 * @throws S3Error PreconditionFailed; NoSuchKey without an object.
 */
export function requireMatch(
  etags: string | undefined,
  key: string,
  existing: StoredObject | undefined,
): void {
  if (etags === undefined) return;
  if (existing === undefined) throw noSuchKey(key);
  if (!matches(etags, existing.etag)) throw preconditionFailed('If-Match');
}

interface Judgement {
  readonly failed?: string;
  readonly notModified?: string;
}

function judge(headers: IncomingHttpHeaders, prefix: string, object: StoredObject): Judgement {
  const ifMatch = requestHeader(headers, `${prefix}if-match`);
  const unmodifiedSince = dateHeader(headers, `${prefix}if-unmodified-since`);
  const ifNoneMatch = requestHeader(headers, `${prefix}if-none-match`);
  const modifiedSince = dateHeader(headers, `${prefix}if-modified-since`);
  const lastModified = object.lastModified.getTime();
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) return { failed: 'If-Match' };
  } else if (unmodifiedSince !== undefined && lastModified > unmodifiedSince) {
    return { failed: 'If-Unmodified-Since' };
  }
  if (ifNoneMatch !== undefined) {
    return matches(ifNoneMatch, object.etag) ? { notModified: 'If-None-Match' } : {};
  }
  const isOld = modifiedSince !== undefined && lastModified <= modifiedSince;
  return isOld ? { notModified: 'If-Modified-Since' } : {};
}

function matches(etags: string, etag: string): boolean {
  return etags
    .split(',')
    .map((candidate) => candidate.trim())
    .some((candidate) => candidate === '*' || unquote(candidate) === unquote(etag));
}

/** ETags come with quotes, without, and weak: S3 takes all three. */
export function unquote(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
}

function dateHeader(headers: IncomingHttpHeaders, name: string): number | undefined {
  const time = Date.parse(requestHeader(headers, name) ?? '');
  return Number.isNaN(time) ? undefined : time;
}
