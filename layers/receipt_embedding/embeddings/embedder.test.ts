import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RecordingEmbedder, vectorOf } from '../../../tests/support/embedders.ts';
import { UpstreamUnavailable } from '../errors.ts';
import {
  decodeVector,
  packRequests,
  readVector,
  RememberingEmbedder,
  REQUEST_LIMITS,
  tokenBound,
} from './embedder.ts';

describe('remembering embedder', () => {
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
});

describe('request packing', () => {
  describe('packing inputs into requests', () => {
    it('knows the limits of the API', () => {
      expect(REQUEST_LIMITS).toStrictEqual({ inputs: 2_048, tokens: 300_000 });
    });

    it('makes no request of nothing', () => {
      expect(packRequests([])).toStrictEqual([]);
    });

    it.each([
      [2_048, [2_048]],
      [2_049, [2_048, 1]],
      [4_096, [2_048, 2_048]],
      [4_097, [2_048, 2_048, 1]],
    ])('puts %d short inputs into requests of %j', (count, sizes) => {
      const inputs = Array.from({ length: count }, (_, at) => `word ${at}`);

      expect(packRequests(inputs).map(({ length }) => length)).toStrictEqual(sizes);
    });

    it.each([
      ['at the token limit', ['aaaa', 'bbbb', 'cc'], [['aaaa', 'bbbb', 'cc']]],
      ['one past it', ['aaaa', 'bbbb', 'ccc'], [['aaaa', 'bbbb'], ['ccc']]],
      ['one input at the limit', ['aaaaaaaaaa', 'b'], [['aaaaaaaaaa'], ['b']]],
      ['one input past it', ['a', 'bbbbbbbbbbb', 'c'], [['a'], ['bbbbbbbbbbb'], ['c']]],
      ['characters of several bytes', ['ééé', 'éé', 'x'], [['ééé', 'éé'], ['x']]],
    ])('fills a request of 10 tokens %s', (_, inputs, requests) => {
      expect(packRequests(inputs, { inputs: 100, tokens: 10 })).toStrictEqual(requests);
    });

    it('bounds a text’s tokens by its bytes in UTF-8', () => {
      expect(['', 'abc', 'é', '寿', '🧾'].map(tokenBound)).toStrictEqual([0, 3, 2, 3, 4]);
    });

    it('keeps every input once and in order, and no request past a limit or mergeable with the next', () => {
      const limits = fc.record({
        inputs: fc.integer({ min: 1, max: 6 }),
        tokens: fc.integer({ min: 1, max: 40 }),
      });
      fc.assert(
        fc.property(
          fc.array(fc.string({ minLength: 1, maxLength: 15 })),
          limits,
          (inputs, limit) => {
            const requests = packRequests(inputs, limit);
            const tokensOf = (request: readonly string[]) =>
              request.reduce((sum, input) => sum + tokenBound(input), 0);

            expect(requests.flat()).toStrictEqual(inputs);
            for (const [at, request] of requests.entries()) {
              expect(request.length).toBeGreaterThan(0);
              expect(request.length).toBeLessThanOrEqual(limit.inputs);
              if (request.length > 1) expect(tokensOf(request)).toBeLessThanOrEqual(limit.tokens);
              const [next] = requests[at + 1] ?? [];
              if (next === undefined) continue;
              const withNext = tokensOf(request) + tokenBound(next);

              expect(request.length === limit.inputs || withNext > limit.tokens).toBe(true);
            }
          },
        ),
        { numRuns: 500 },
      );
    });

    it('makes as few requests as any split of the inputs in their order', () => {
      const limit = { inputs: 3, tokens: 10 };
      const fewest = (sizes: readonly number[]): number => {
        const best = [0];
        for (let end = 1; end <= sizes.length; end++) {
          let least = Number.POSITIVE_INFINITY;
          for (let start = Math.max(0, end - limit.inputs); start < end; start++) {
            const tokens = sizes.slice(start, end).reduce((sum, size) => sum + size, 0);
            if (tokens <= limit.tokens || end - start === 1) {
              least = Math.min(least, (best[start] ?? 0) + 1);
            }
          }
          best.push(least);
        }
        return best.at(-1) ?? 0;
      };
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 12 })), (sizes) => {
          const inputs = sizes.map((size) => 'x'.repeat(size));

          expect(packRequests(inputs, limit).length).toBe(fewest(sizes));
        }),
        { numRuns: 300 },
      );
    });
  });
});

describe('decode vector', () => {
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
});
