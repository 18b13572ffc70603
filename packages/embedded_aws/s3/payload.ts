import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import type { ServiceRequest } from '../http/service.ts';
import { S3Error } from './answers.ts';

export interface Payload {
  readonly body: Buffer;
  /** The one that the client sent, in a header or a trailer. */
  readonly checksum: Checksum | undefined;
}

export interface Checksum {
  /** Lower case, as in `x-amz-checksum-{algorithm}`. */
  readonly algorithm: string;
  /** Base64 of the big-endian bytes. */
  readonly value: string;
}

/** The bytes of each checksum that S3 knows. */
const CHECKSUM_BYTES: Readonly<Record<string, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

/**
 * The body that the client meant, once every digest that it sent along agrees.
 *
 * MD5, CRC32 and the SHA family are checked; crc32c and crc64nvme are only stored, because Node has neither.
 *
 * @throws S3Error BadDigest, InvalidRequest, XAmzContentSHA256Mismatch, IncompleteBody, MalformedTrailerError
 */
export function readPayload(request: ServiceRequest): Payload {
  const { headers } = request;
  const { body, trailers } = decodeBody(request);
  verifyMd5(headers, body);
  verifyContentSha256(headers, body);
  return { body, checksum: verifiedChecksum(headers, trailers, body) };
}

/** The response headers that carry a checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [`x-amz-checksum-${checksum.algorithm}`]: checksum.value,
    'x-amz-checksum-type': 'FULL_OBJECT',
  };
}

function verifyMd5(headers: IncomingHttpHeaders, body: Buffer): void {
  const expected = headers['content-md5'];
  if (expected === undefined || expected === digest('md5', body)) return;
  throw new S3Error(
    400,
    'BadDigest',
    'The Content-MD5 you specified did not match what we received.',
  );
}

function verifyContentSha256(headers: IncomingHttpHeaders, body: Buffer): void {
  const expected = String(headers['x-amz-content-sha256']);
  if (!/^[\da-f]{64}$/.test(expected)) return;
  if (expected === createHash('sha256').update(body).digest('hex')) return;
  throw new S3Error(
    400,
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
}

function verifiedChecksum(
  headers: IncomingHttpHeaders,
  trailers: ReadonlyMap<string, string>,
  body: Buffer,
): Checksum | undefined {
  const sent = Object.keys(CHECKSUM_BYTES).flatMap((algorithm) => {
    const name = `x-amz-checksum-${algorithm}`;
    const value = headers[name] ?? trailers.get(name);
    return value === undefined ? [] : [{ algorithm, value: String(value) }];
  });
  const [checksum] = sent;
  if (checksum === undefined) return undefined;
  if (sent.length > 1) {
    throw new S3Error(
      400,
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const { algorithm, value } = checksum;
  if (Buffer.from(value, 'base64').length !== CHECKSUM_BYTES[algorithm]) {
    throw new S3Error(
      400,
      'InvalidRequest',
      `Value for x-amz-checksum-${algorithm} header is invalid.`,
    );
  }
  if (value !== (digest(algorithm, body) ?? value)) {
    throw new S3Error(
      400,
      'BadDigest',
      `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    );
  }
  return checksum;
}

/** @returns base64, or undefined for an algorithm that Node doesn't have. */
function digest(algorithm: string, body: Buffer): string | undefined {
  switch (algorithm) {
    case 'crc32': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc32(body));
      return bytes.toString('base64');
    }
    case 'md5':
    case 'sha1':
    case 'sha256':
      return createHash(algorithm).update(body).digest('base64');
    default:
      return undefined;
  }
}

interface DecodedBody {
  readonly body: Buffer;
  /** Names in lower case. */
  readonly trailers: ReadonlyMap<string, string>;
}

function decodeBody({ headers, body }: ServiceRequest): DecodedBody {
  const coding = String(headers['x-amz-content-sha256']);
  if (!coding.startsWith('STREAMING-')) return { body, trailers: new Map() };
  const decoded = decodeAwsChunked(body);
  if (headers['x-amz-decoded-content-length'] !== String(decoded.body.length)) {
    throw incompleteBody();
  }
  const promised = headers['x-amz-trailer'];
  if (promised !== undefined && !decoded.trailers.has(String(promised).trim().toLowerCase())) {
    throw malformedTrailer();
  }
  return decoded;
}

const LINE_END = Buffer.from('\r\n');

/**
 * Decodes an `aws-chunked` body: `{size in hex}[;chunk-signature=…]CRLF {bytes} CRLF`, up to the chunk of size 0,
 * then trailers, one a line. Signatures are passed over.
 */
function decodeAwsChunked(encoded: Buffer): DecodedBody {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const headerEnd = encoded.indexOf(LINE_END, at);
    if (headerEnd < 0) throw incompleteBody();
    const [hex = ''] = encoded.toString('latin1', at, headerEnd).split(';', 1);
    if (!/^[\da-f]{1,8}$/i.test(hex)) throw incompleteBody();
    const size = parseInt(hex, 16);
    const start = headerEnd + LINE_END.length;
    if (size === 0) return { body: Buffer.concat(chunks), trailers: trailersOf(encoded, start) };
    at = start + size + LINE_END.length;
    if (!encoded.subarray(start + size, at).equals(LINE_END)) throw incompleteBody();
    chunks.push(encoded.subarray(start, start + size));
  }
}

function trailersOf(encoded: Buffer, start: number): Map<string, string> {
  const lines = encoded.toString('latin1', start).split(/\r?\n/);
  return new Map(
    lines
      .filter((line) => line !== '')
      .map((line) => {
        const colon = line.indexOf(':');
        if (colon < 1) throw malformedTrailer();
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
      }),
  );
}

function incompleteBody(): S3Error {
  return new S3Error(
    400,
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
}

function malformedTrailer(): S3Error {
  return new S3Error(
    400,
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}
