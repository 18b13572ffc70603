import { S3Error } from './s3_error.ts';

export interface ByteRange {
  readonly first: number;
  /** Inclusive, as in HTTP. */
  readonly last: number;
}

/**
 * Reads a `Range` header: `bytes=first-last`, `bytes=first-` or `bytes=-length`.
 *
 * @returns undefined for what S3 ignores: no header, another unit, several ranges, last before first.
 * @throws S3Error InvalidRange (416) when no byte of the object lies in the range.
 */
export function readByteRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (header === undefined || (from === '' && to === '')) return undefined;
  if (from === '') {
    const length = Number(to);
    if (length === 0 || size === 0) throw invalidRange(header, size);
    return { first: Math.max(0, size - length), last: size - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= size) throw invalidRange(header, size);
  return { first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

function invalidRange(header: string, size: number): S3Error {
  return new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable', {
    RangeRequested: header,
    ActualObjectSize: String(size),
  });
}
