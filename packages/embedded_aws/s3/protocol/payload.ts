import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ServiceRequest } from '../../http/service.ts';
import {
  decodeAwsChunked,
  type DecodedChunks,
  incompleteBody,
  malformedTrailer,
} from './aws_chunked.ts';
import {
  type Checksum,
  checksumAlgorithms,
  computeChecksum,
  isBase64Of,
  isChecksumValue,
} from './checksum.ts';
import { requestHeader } from './request_header.ts';
import { invalidRequest, S3Error } from './s3_error.ts';

export interface Payload {
  readonly body: Buffer;
  /** The one that the client sent, in a header or a trailer. */
  readonly checksum: Checksum | undefined;
}

/**
 * The body that the client meant, once every digest that it sent along agrees.
 *
 * crc32, md5 and the sha family are checked; crc32c, crc64nvme and xxhash are only kept, because Node has none of them.
 *
 * @throws S3Error BadDigest, InvalidDigest, InvalidRequest, XAmzContentSHA256Mismatch, IncompleteBody, MalformedTrailerError
 */
export function readPayload(request: ServiceRequest): Payload {
  const { headers } = request;
  const { body, trailers } = decodeBody(request);
  verifyMd5(headers, body);
  verifyContentSha256(headers, body);
  return { body, checksum: verifiedChecksum(headers, trailers, body) };
}

function decodeBody({ headers, body }: ServiceRequest): DecodedChunks {
  const contentSha256 = requestHeader(headers, 'x-amz-content-sha256') ?? '';
  if (!contentSha256.startsWith('STREAMING-')) return { body, trailers: new Map() };
  const decoded = decodeAwsChunked(body);
  const declaredLength = requestHeader(headers, 'x-amz-decoded-content-length');
  if (declaredLength !== String(decoded.body.length)) throw incompleteBody();
  const declaredTrailer = requestHeader(headers, 'x-amz-trailer')?.trim().toLowerCase();
  if (declaredTrailer !== undefined && !decoded.trailers.has(declaredTrailer)) {
    throw malformedTrailer();
  }
  return decoded;
}

function verifyMd5(headers: IncomingHttpHeaders, body: Buffer): void {
  const expected = requestHeader(headers, 'content-md5');
  if (expected === undefined) return;
  if (!isBase64Of(16, expected)) {
    throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  const calculated = computeChecksum('md5', body);
  if (calculated === expected) return;
  throw new S3Error(
    400,
    'BadDigest',
    'The Content-MD5 you specified did not match what we received.',
    { ExpectedDigest: expected, CalculatedDigest: calculated ?? '' },
  );
}

function verifyContentSha256(headers: IncomingHttpHeaders, body: Buffer): void {
  const expected = requestHeader(headers, 'x-amz-content-sha256');
  if (expected === undefined || !/^[\da-f]{64}$/.test(expected)) return;
  const calculated = createHash('sha256').update(body).digest('hex');
  if (calculated === expected) return;
  throw new S3Error(
    400,
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: calculated },
  );
}

function verifiedChecksum(
  headers: IncomingHttpHeaders,
  trailers: ReadonlyMap<string, string>,
  body: Buffer,
): Checksum | undefined {
  const sent = checksumAlgorithms.flatMap((algorithm) => {
    const name = `x-amz-checksum-${algorithm}`;
    const value = requestHeader(headers, name) ?? trailers.get(name);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const [checksum] = sent;
  if (checksum === undefined) return undefined;
  if (sent.length > 1) {
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const { algorithm, value } = checksum;
  if (!isChecksumValue(algorithm, value)) {
    throw invalidRequest(`Value for x-amz-checksum-${algorithm} header is invalid.`);
  }
  if (value !== (computeChecksum(algorithm, body) ?? value)) {
    throw checksumMismatch(algorithm);
  }
  return { algorithm, value, type: 'FULL_OBJECT' };
}

export function checksumMismatch(algorithm: string): S3Error {
  return new S3Error(
    400,
    'BadDigest',
    `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
  );
}
