import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { textElement } from './xml_writer.ts';

export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface Checksum {
  /** Lower case, as in `x-amz-checksum-{algorithm}`. */
  readonly algorithm: string;
  /** Base64 of the big-endian bytes; a composite one ends with `-{number of parts}`. */
  readonly value: string;
  readonly type: ChecksumType;
}

/** The bytes of each checksum that S3 knows. */
const byteLengths: Readonly<Record<string, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
  xxhash3: 8,
  xxhash64: 8,
  xxhash128: 16,
};

export const checksumAlgorithms: readonly string[] = Object.keys(byteLengths);

/** @returns whether the text is base64 of as many bytes as the algorithm has. */
export function isChecksumValue(algorithm: string, value: string): boolean {
  return isBase64Of(byteLengths[algorithm] ?? -1, value);
}

/** @returns whether the text is the padded base64 of exactly that many bytes. */
export function isBase64Of(byteLength: number, value: string): boolean {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === byteLength && bytes.toString('base64') === value;
}

/** @returns base64, or undefined for an algorithm that Node doesn't have (crc32c, crc64nvme, xxhash). */
export function computeChecksum(algorithm: string, body: Buffer): string | undefined {
  switch (algorithm) {
    case 'crc32': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc32(body));
      return bytes.toString('base64');
    }
    case 'md5':
    case 'sha1':
    case 'sha256':
    case 'sha512':
      return createHash(algorithm).update(body).digest('base64');
    default:
      return undefined;
  }
}

/** The checksum of a multipart object that S3 calls composite: of its parts' checksums, one after the other. */
export function compositeChecksum(
  algorithm: string,
  partValues: readonly string[],
): Checksum | undefined {
  const bytes = Buffer.concat(partValues.map((value) => Buffer.from(value, 'base64')));
  const value = computeChecksum(algorithm, bytes);
  if (value === undefined) return undefined;
  return { algorithm, value: `${value}-${partValues.length}`, type: 'COMPOSITE' };
}

/** The response headers that carry a checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [`x-amz-checksum-${checksum.algorithm}`]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

/** The same in an XML answer. */
export function checksumElements(checksum: Checksum | undefined): string[] {
  if (checksum === undefined) return [];
  return [
    textElement(checksumElementName(checksum.algorithm), checksum.value),
    textElement('ChecksumType', checksum.type),
  ];
}

/** The XML element's name: `ChecksumCRC32`. */
export function checksumElementName(algorithm: string): string {
  return `Checksum${algorithm.toUpperCase()}`;
}
