import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Written to disk in pieces of about this size. */
const PIECE_BYTES = 1_000_000;

/** Vectors on disk, in the order in which they came, to be read in another one. */
export class VectorSpool {
  readonly #file: number;
  readonly #vectorBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #count = 0;

  /** @param path of a file that is not there yet. */
  constructor(path: string, dimensions: number) {
    this.#file = openSync(path, 'wx+');
    this.#vectorBytes = dimensions * Float32Array.BYTES_PER_ELEMENT;
  }

  /** @returns the vector's place. */
  add(vector: Float32Array): number {
    this.#pending.push(Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength));
    this.#pendingBytes += vector.byteLength;
    if (this.#pendingBytes >= PIECE_BYTES) this.#flush();
    return this.#count++;
  }

  /**
   * The vector at a place, as base64 of little-endian float32.
   *
   * @throws RangeError when there is none.
   */
  read(place: number): string {
    this.#flush();
    const bytes = Buffer.allocUnsafe(this.#vectorBytes);
    for (let at = 0; at < bytes.length;) {
      const position = place * this.#vectorBytes + at;
      const read = readSync(this.#file, bytes, at, bytes.length - at, position);
      if (read === 0) throw new RangeError(`there is no vector ${place}: the file ends before it`);
      at += read;
    }
    return bytes.toString('base64');
  }

  close(): void {
    closeSync(this.#file);
  }

  #flush(): void {
    if (this.#pendingBytes === 0) return;
    const piece = Buffer.concat(this.#pending);
    for (let at = 0; at < piece.length;) at += writeSync(this.#file, piece, at);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
