import { endianness } from 'node:os';
import type { EmbeddingRequest } from './embedding_request.ts';

export interface IndexedVector {
  /** The place of its input in the request. */
  readonly index: number;
  readonly vector: Float32Array;
}

/** The body of a 200 answer, with the vectors in the order given. */
export function answerOf(request: EmbeddingRequest, vectors: readonly IndexedVector[]): string {
  const encode = request.encodingFormat === 'base64' ? toBase64 : toNumbers;
  return JSON.stringify({
    object: 'list',
    data: vectors.map(({ index, vector }) => ({
      object: 'embedding',
      index,
      embedding: encode(vector),
    })),
    model: request.model.id,
    usage: { prompt_tokens: request.tokens, total_tokens: request.tokens },
  });
}

/** Little-endian float32 on every machine; most have it in memory like that. */
function toBase64(vector: Float32Array): string {
  if (endianness() === 'LE') {
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
  }
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i] ?? 0, i * 4);
  return bytes.toString('base64');
}

/** Nine significant digits are enough to read the same float32 back. */
function toNumbers(vector: Float32Array): number[] {
  return Array.from(vector, (value) => Number(value.toPrecision(9)));
}
