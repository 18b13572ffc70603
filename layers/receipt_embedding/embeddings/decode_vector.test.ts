import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeVector } from './openai_embedder.ts';

const vector = Float32Array.of(1.5, -2.25, 3.125);
const bytes = new Uint8Array(vector.buffer);

/** Makes the next decoded base64 lie at this place of its memory. */
function decodedAt(offset: number): ArrayBuffer {
  const memory = new ArrayBuffer(offset + bytes.length);
  new Uint8Array(memory, offset).set(bytes);
  vi.spyOn(Buffer, 'from').mockReturnValueOnce(Buffer.from(memory, offset));
  return memory;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a vector as base64', () => {
  it('is its bytes in little-endian float32', () => {
    expect(decodeVector(Buffer.from(bytes).toString('base64'))).toStrictEqual(vector);
  });

  it('is a view on the decoded bytes where they lie aligned', () => {
    const memory = decodedAt(8);

    const decoded = decodeVector('…');

    expect(decoded).toStrictEqual(vector);
    expect(decoded.buffer).toBe(memory);
  });

  it.each([1, 2, 3])('is read right where its bytes lie %d past a float’s boundary', (offset) => {
    decodedAt(offset);

    expect(decodeVector('…')).toStrictEqual(vector);
  });
});
