import { afterEach, describe, expect, it, vi } from 'vitest';
import { RecordingEmbedder, vectorOf } from '../../../tests/support/embedders.ts';
import { UpstreamUnavailable } from '../errors.ts';
import { decodeVector, readVector, RememberingEmbedder } from './embedder.ts';

describe('an embedder that remembers', () => {
  it('asks for each text once, and answers in the order of each call', async () => {
    const asked = new RecordingEmbedder();
    const embedder = new RememberingEmbedder(asked);

    const first = await embedder.embed(['a', 'b', 'a']);
    const second = await embedder.embed(['c', 'b', 'c']);

    expect(asked.calls).toStrictEqual([['a', 'b'], ['c']]);
    expect(first.vectors).toStrictEqual(['a', 'b', 'a'].map((text) => vectorOf(text)));
    expect(second.vectors).toStrictEqual(['c', 'b', 'c'].map((text) => vectorOf(text)));
  });

  it('tells what a call cost, and what all have cost together', async () => {
    const embedder = new RememberingEmbedder(new RecordingEmbedder());

    const { prompt_tokens, requests } = await embedder.embed(['a', 'b']);
    await embedder.embed(['a', 'c']);
    await embedder.embed(['a']);

    expect({ prompt_tokens, requests }).toStrictEqual({ prompt_tokens: 2, requests: 1 });
    expect(embedder.usage).toStrictEqual({ prompt_tokens: 3, requests: 2 });
  });

  it('is of the same model as the one it asks', () => {
    const { model, dimensions } = new RememberingEmbedder(new RecordingEmbedder());

    expect({ model, dimensions }).toStrictEqual({
      model: 'text-embedding-3-small',
      dimensions: 4,
    });
  });
});

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

describe('a vector as OpenAI answers it', () => {
  it('may be an array of numbers', () => {
    expect(readVector([1.5, -2.25, 3.125], 3)).toStrictEqual(vector);
  });

  it.each([
    ['of other dimensions', [1, 2], /2 dimensions where 3/],
    ['with a number that float32 can not hold', [1, 1e300, 3], /not finite/],
    ['with null, as JSON writes NaN', [1, null, 3], /something else than numbers/],
    ['of texts', ['1', '2', '3'], /something else than numbers/],
    ['that is none', undefined, /as undefined/],
  ])('is refused: one %s', (_, answer, message) => {
    const read = (): unknown => readVector(answer, 3);

    expect(read).toThrow(UpstreamUnavailable);
    expect(read).toThrow(message);
  });
});
