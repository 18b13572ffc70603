import { UpstreamUnavailable } from '../errors.ts';

/**
 * A vector as OpenAI answers it, checked.
 *
 * @throws UpstreamUnavailable when it has other dimensions, or a number that is not finite.
 */
export function readVector(embedding: unknown, dimensions: number): Float32Array {
  const vector = decodeVector(embedding);
  if (vector.length !== dimensions) {
    throw new UpstreamUnavailable(
      `OpenAI answered a vector of ${vector.length} dimensions where ${dimensions} were asked for`,
    );
  }
  if (!vector.every(Number.isFinite)) {
    throw new UpstreamUnavailable(
      'OpenAI answered a vector that holds a number that is not finite',
    );
  }
  return vector;
}

/**
 * Base64 of little-endian float32, or an array of numbers, which servers that know no base64 answer.
 *
 * @throws UpstreamUnavailable when it is neither.
 */
export function decodeVector(embedding: unknown): Float32Array {
  if (Array.isArray(embedding)) return fromNumbers(embedding);
  if (typeof embedding !== 'string') {
    throw new UpstreamUnavailable(`OpenAI answered a vector as ${typeof embedding}`);
  }
  const bytes = Buffer.from(embedding, 'base64');
  // Every machine that runs this is little-endian, so a view will do where the bytes lie aligned.
  const aligned =
    bytes.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new Float32Array(
    aligned.buffer,
    aligned.byteOffset,
    Math.floor(aligned.byteLength / Float32Array.BYTES_PER_ELEMENT),
  );
}

/** JSON has null in place of NaN, which a Float32Array would take for 0. */
function fromNumbers(numbers: readonly unknown[]): Float32Array {
  if (!numbers.every((number) => typeof number === 'number')) {
    throw new UpstreamUnavailable(
      'OpenAI answered a vector that holds something else than numbers',
    );
  }
  return Float32Array.from(numbers);
}
