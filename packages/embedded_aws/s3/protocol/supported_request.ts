import type { IncomingHttpHeaders } from 'node:http';
import { invalidArgument, notImplemented, S3Error } from './s3_error.ts';

/**
 * Refuses what would change the stored object and isn't built, so that nobody takes it for done.
 *
 * @throws S3Error NotImplemented
 */
export function requireSupportedWrite(headers: IncomingHttpHeaders): void {
  const unsupported = [
    'x-amz-tagging',
    'x-amz-server-side-encryption-customer-algorithm',
    'x-amz-object-lock-mode',
    'x-amz-write-offset-bytes',
  ].find((name) => headers[name] !== undefined);
  if (unsupported !== undefined) throw notImplemented(`The header ${unsupported}`);
}

/**
 * A body's length must be known before it comes, here as there.
 *
 * @throws S3Error MissingContentLength (411)
 */
export function requireLength(headers: IncomingHttpHeaders): void {
  const length = headers['content-length'] ?? headers['x-amz-decoded-content-length'];
  if (length !== undefined) return;
  throw new S3Error(
    411,
    'MissingContentLength',
    'You must provide the Content-Length HTTP header.',
  );
}

/**
 * Buckets here have no versions: S3 knows the version `null` alone in such a bucket.
 *
 * @throws S3Error InvalidArgument
 */
export function requireCurrentVersion(query: URLSearchParams): void {
  const version = query.get('versionId');
  if (version === null || version === 'null') return;
  throw invalidArgument('versionId', version, 'Invalid version id specified');
}
