import type { Service } from 'embedded-aws/http/service';

/** How OpenAI may answer vectors: base64 as it is asked for, or arrays of numbers all the same. */
export type VectorFormat = 'base64' | 'float';

/** So many different vectors: enough that no cache of a processor holds them all. */
const VECTORS = 256;

/**
 * OpenAI's stand-in with vectors as a model makes them. Its own are mostly zeros, which are quicker to print and to read, and
 * as numbers take a fraction of the bytes.
 */
export function withDenseVectors(
  standIn: Service,
  { dimensions, format }: { readonly dimensions: number; readonly format: VectorFormat },
): Service {
  const vectors = Array.from({ length: VECTORS }, (_, n) =>
    printed(denseVector(n, dimensions), format),
  );
  return async (request) => {
    const response = await standIn(request);
    const { body } = response;
    if (typeof body !== 'object' || Buffer.isBuffer(body)) return response;
    return { ...response, body: dense(body, vectors) };
  };
}

/** @param chunks whole lines each. */
function* dense(chunks: Iterable<Buffer>, vectors: readonly string[]): Generator<Buffer> {
  let rows = 0;
  for (const chunk of chunks) {
    const lines = chunk
      .toString('latin1')
      .replaceAll(/"embedding":"[^"]*"/g, () => `"embedding":${vectors[rows++ % VECTORS] ?? ''}`);
    yield Buffer.from(lines, 'latin1');
  }
}

/** Of length 1 or near it. */
function denseVector(n: number, dimensions: number): Float32Array {
  const scale = Math.sqrt(3 / dimensions);
  let state = (n + 1) * 0x9e3779b1;
  return Float32Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

function printed(vector: Float32Array, format: VectorFormat): string {
  return format === 'float'
    ? `[${Array.from(vector, (value) => value.toPrecision(9)).join(',')}]`
    : `"${Buffer.from(vector.buffer).toString('base64')}"`;
}
