import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packRequests, REQUEST_LIMITS, tokenBound } from './request_packing.ts';

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
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 15 })), limits, (inputs, limit) => {
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
      }),
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
