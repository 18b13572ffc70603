import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { RequestHead } from '../http/service.ts';

/** What a caller signs with. */
export interface SigningKey {
  readonly secretAccessKey: string;
  /** Of temporary credentials; the caller must send it along. */
  readonly sessionToken?: string;
}

/** What is wrong with a request's signature. */
export type SignatureProblem = 'missing' | 'incomplete' | 'unknown_key' | 'wrong_token' | 'wrong';

/** An `Authorization` header of Signature Version 4, taken apart. */
export interface SignatureParts {
  readonly accessKeyId: string;
  /** `yyyymmdd` */
  readonly date: string;
  readonly region: string;
  /** As the signer names it. */
  readonly service: string;
  readonly signedHeaders: readonly string[];
  /** Hexadecimal. */
  readonly signature: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(?<accessKeyId>[^/,\s]+)\/(?<date>\d{8})\/(?<region>[^/,\s]+)\/(?<service>[^/,\s]+)\/aws4_request, ?SignedHeaders=(?<signedHeaders>[^,\s]+), ?Signature=(?<signature>[\da-f]{64})$/;

/** @returns undefined for a header of another form, or none. */
export function signatureParts(authorization: string | undefined): SignatureParts | undefined {
  const groups = AUTHORIZATION.exec(authorization ?? '')?.groups;
  if (groups === undefined) return undefined;
  const { signedHeaders = '', ...parts } = groups;
  return { ...(parts as unknown as SignatureParts), signedHeaders: signedHeaders.split(';') };
}

/**
 * Verifies a request's Signature Version 4, in its `Authorization` header. Any date is taken: what was signed with a key that
 * lives as long as this process needs no other end, and a clock that is wrong does no harm.
 *
 * @param service what the request is for: the signature must be for it too.
 * @param keyOf the key with this id; undefined when there is none.
 * @param body undefined where it is known by its digest alone, which the request's headers must have then.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signatureProblem(
  request: RequestHead,
  service: string,
  keyOf: (accessKeyId: string) => SigningKey | undefined,
  body: Buffer | undefined,
): SignatureProblem | undefined {
  const { headers } = request;
  if (headers.authorization === undefined) return 'missing';
  const parts = signatureParts(headers.authorization);
  const timestamp = String(headers['x-amz-date']);
  if (parts === undefined || !coversWhatMatters(request, parts, timestamp)) return 'incomplete';
  const key = keyOf(parts.accessKeyId);
  if (key === undefined) return 'unknown_key';
  if (key.sessionToken !== headers['x-amz-security-token']) return 'wrong_token';
  const digest = payloadDigest(request, service, body);
  if (digest === undefined || parts.service !== service) return 'wrong';
  const expected = signatureOf(request, parts, timestamp, digest, key.secretAccessKey);
  return timingSafeEqual(Buffer.from(expected), Buffer.from(parts.signature)) ? undefined : 'wrong';
}

/** The host and all headers of AWS must be signed, by a signature of the day that the request names. */
function coversWhatMatters(
  { headers }: RequestHead,
  { signedHeaders, date }: SignatureParts,
  timestamp: string,
): boolean {
  const signed = new Set(signedHeaders);
  return (
    /^\d{8}T\d{6}Z$/.test(timestamp) &&
    timestamp.startsWith(date) &&
    signed.has('host') &&
    signedHeaders.every((name) => headers[name] !== undefined) &&
    Object.keys(headers).every((name) => !name.startsWith('x-amz-') || signed.has(name))
  );
}

/**
 * The digest of the body that was signed.
 *
 * @returns undefined for one that is not the body's. S3's own digests, which are none of its bytes (`UNSIGNED-PAYLOAD`,
 *   `STREAMING-…`), are taken as they are, and whether a digest is the body's S3 says itself.
 */
function payloadDigest(
  { headers }: RequestHead,
  service: string,
  body: Buffer | undefined,
): string | undefined {
  const said = headers['x-amz-content-sha256'];
  if (service === 's3') return said === undefined ? undefined : String(said);
  const actual = sha256(body ?? '');
  return said === undefined || said === actual ? actual : undefined;
}

function signatureOf(
  request: RequestHead,
  { date, region, service, signedHeaders }: SignatureParts,
  timestamp: string,
  digest: string,
  secretAccessKey: string,
): string {
  const canonical = [
    request.method,
    // S3 takes a path as it was sent; all others encode it once more.
    service === 's3' ? request.path : encode(request.path).replaceAll('%2F', '/'),
    canonicalQuery(request.query),
    ...signedHeaders.map((name) => `${name}:${headerValue(request, name)}`),
    '',
    signedHeaders.join(';'),
    digest,
  ].join('\n');
  const scope = [date, region, service, 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, toSign).toString('hex');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(
      ([name, value], [other, otherValue]) => byUnits(name, other) || byUnits(value, otherValue),
    )
    .map((pair) => pair.join('='))
    .join('&');
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function headerValue({ headers }: RequestHead, name: string): string {
  return String(headers[name]).trim().replace(/ +/g, ' ');
}

/** As AWS encodes: all except `A-Z a-z 0-9 - . _ ~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
