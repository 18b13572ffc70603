import { S3Error } from './s3_error.ts';

export interface DecodedChunks {
  readonly body: Buffer;
  /** Names in lower case. */
  readonly trailers: ReadonlyMap<string, string>;
}

const lineEnd = Buffer.from('\r\n');

/**
 * Decodes an `aws-chunked` body: `{size in hex}[;chunk-signature=…]CRLF {bytes} CRLF`, up to the chunk of size 0,
 * then trailers, one a line. Signatures are passed over.
 *
 * @throws S3Error IncompleteBody, MalformedTrailerError
 */
export function decodeAwsChunked(encoded: Buffer): DecodedChunks {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const headerEnd = encoded.indexOf(lineEnd, at);
    if (headerEnd < 0) throw incompleteBody();
    const size = chunkSize(encoded.toString('latin1', at, headerEnd));
    const start = headerEnd + lineEnd.length;
    if (size === 0) return { body: Buffer.concat(chunks), trailers: trailersOf(encoded, start) };
    at = start + size + lineEnd.length;
    if (!encoded.subarray(start + size, at).equals(lineEnd)) throw incompleteBody();
    chunks.push(encoded.subarray(start, start + size));
  }
}

export function incompleteBody(): S3Error {
  return new S3Error(
    400,
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
}

export function malformedTrailer(): S3Error {
  return new S3Error(
    400,
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}

function chunkSize(header: string): number {
  const [size = ''] = header.split(';', 1);
  if (!/^[\da-f]{1,8}$/i.test(size)) throw incompleteBody();
  return parseInt(size, 16);
}

function trailersOf(encoded: Buffer, start: number): Map<string, string> {
  const lines = encoded
    .toString('latin1', start)
    .split(/\r?\n/)
    .filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw malformedTrailer();
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
