import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cursor, type Hit, type Search, VectorIndex } from './vector_index.ts';

const DIMENSION = 5;

/** What an index should hold, as it is easiest to say. */
type Model = Map<
  string,
  { readonly data: Float32Array; readonly metadata: { readonly n: number } }
>;

function naiveDistance(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, value, at) => sum + value * (y[at] ?? NaN), 0);
  return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const vector = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: DIMENSION, maxLength: DIMENSION })
  .filter((numbers) => numbers.some((number) => number !== 0))
  .map((numbers) => Float32Array.from(numbers));
const key = fc.integer({ min: 0, max: 400 }).map((number) => `key-${number}`);
const put = fc.record({ key, data: vector, metadata: fc.record({ n: fc.nat(9) }) });
const remove = fc.record({ key });
// Enough for several blocks.
const changes = fc.array(
  fc.oneof({ weight: 3, arbitrary: put }, { weight: 1, arbitrary: remove }),
  {
    minLength: 1,
    maxLength: 700,
    size: 'max',
  },
);

interface Change {
  readonly key: string;
  /** Undefined where the key is deleted. */
  readonly data?: Float32Array;
  readonly metadata?: { readonly n: number };
}

function perform(all: readonly Change[]): [VectorIndex, Model] {
  const index = new VectorIndex(DIMENSION);
  const model: Model = new Map();
  for (const { key: name, data, metadata } of all) {
    if (data === undefined || metadata === undefined) {
      index.delete(name);
      model.delete(name);
    } else {
      index.put(name, data, metadata);
      model.set(name, { data, metadata });
    }
  }
  return [index, model];
}

describe('an index', () => {
  it('holds what was put last, and nothing that was deleted, whatever came before', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const [index, model] = perform(all);
        expect(index.size).toBe(model.size);
        expect([...index.list()].map(({ key: name }) => name)).toStrictEqual([...model.keys()]);
        for (const [name, { data, metadata }] of model) {
          expect(index.get(name)?.metadata).toStrictEqual(metadata);
          expect(index.data(name)).toStrictEqual(data);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('finds what a search that compares with each finds, in that order, in pages of any size', () => {
    fc.assert(
      fc.property(
        changes,
        vector,
        fc.option(fc.nat(9), { nil: undefined }),
        fc.integer({ min: 1, max: 50 }),
        (all, query, n, page) => {
          const [index, model] = perform(all);
          const search: Pick<Search, 'filter'> =
            n === undefined ? {} : { filter: (metadata) => metadata['n'] === n };
          const found: Hit[] = [];
          let after: Cursor | undefined;
          for (;;) {
            const hits = index.search(query, { ...search, count: page, after });
            found.push(...hits);
            after = hits.at(-1);
            if (hits.length < page) break;
          }
          const expected = [...model]
            .filter(([, { metadata }]) => n === undefined || metadata.n === n)
            .map(([name, { data }]) => ({ name, distance: naiveDistance(data, query) }));
          expect(found.map((hit) => hit.key).sort()).toStrictEqual(
            expected.map(({ name }) => name).sort(),
          );
          const naive = new Map(expected.map(({ name, distance }) => [name, distance]));
          for (const [at, { key: name, distance }] of found.entries()) {
            expect(distance).toBeCloseTo(naive.get(name) ?? NaN, 12);
            expect(distance).toBeGreaterThanOrEqual(found[at - 1]?.distance ?? 0);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is its own nearest neighbour, by 0', () => {
    fc.assert(
      fc.property(vector, (data) => {
        const index = new VectorIndex(DIMENSION);
        index.put(
          'opposite',
          data.map((number) => -number),
          {},
        );
        index.put('same', data, {});
        const [first, second] = index.search(data, { count: 2 });
        expect([first?.key, second?.key]).toStrictEqual(['same', 'opposite']);
        expect(first?.distance).toBeCloseTo(0, 12);
        expect(second?.distance).toBeCloseTo(2, 12);
      }),
    );
  });

  it('takes memory for what it holds, and gives it back', () => {
    const index = new VectorIndex(2);
    const keys = Array.from({ length: 600 }, (_, at) => `key-${at}`);
    const bytes = () => {
      const [all, least] = [index.bytes, index.size * 2 * Float32Array.BYTES_PER_ELEMENT];
      expect(all).toBeGreaterThanOrEqual(least);
      return all;
    };
    for (const name of keys) index.put(name, Float32Array.of(1, 2), {});
    const most = bytes();
    for (const name of keys.slice(300)) index.delete(name);
    expect(bytes()).toBeLessThan(most);
    for (const name of keys) index.delete(name);
    expect(bytes()).toBe(0);
  });

  it('copies what it is given', () => {
    const index = new VectorIndex(2);
    const data = Float32Array.of(1, 2);
    index.put('a', data, {});
    data[0] = 9;
    expect(index.data('a')).toStrictEqual(Float32Array.of(1, 2));
  });

  it('gives hits that are as near in the order in which their keys came, and a replaced one keeps its place', () => {
    const index = new VectorIndex(1);
    for (const name of ['c', 'a', 'b', 'd', 'c']) index.put(name, Float32Array.of(2), {});
    index.delete('a');
    expect(index.search(Float32Array.of(1), { count: 9 }).map((hit) => hit.key)).toStrictEqual([
      'c',
      'b',
      'd',
    ]);
  });
});
