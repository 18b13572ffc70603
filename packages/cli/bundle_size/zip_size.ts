import { deflateRawSync } from 'node:zlib';

/** Fixed parts of a zip archive, in bytes (PKWARE's APPNOTE, 4.3). */
const LOCAL_HEADER = 30;
const DATA_DESCRIPTOR = 16;
const CENTRAL_HEADER = 46;
const END_OF_DIRECTORY = 22;

/**
 * The size of the zip archive that a deployment uploads for these files, in bytes: each deflated on its own, as
 * archives are that are written in one pass. The same files always give the same number.
 */
export function zipSize(files: ReadonlyMap<string, Uint8Array>): number {
  let size = END_OF_DIRECTORY;
  for (const [path, content] of files) {
    const headers = LOCAL_HEADER + DATA_DESCRIPTOR + CENTRAL_HEADER;
    size += headers + 2 * Buffer.byteLength(path) + deflateRawSync(content).length;
  }
  return size;
}
