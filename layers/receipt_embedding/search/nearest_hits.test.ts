import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine, MemoryStore } from '../../../tests/support/memory_store.ts';
import type { FilterCondition, StoredVector } from '../stores/vector_store.ts';
import { nearestHits, type Wanted } from './nearest_hits.ts';
import { receiptOf } from './search_hits.ts';

const IMAGE = 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301';

const wordId = (receipt: number, word: number): string =>
  `${IMAGE}#RECEIPT#${String(receipt).padStart(5, '0')}#LINE#00001#WORD#${String(word).padStart(5, '0')}`;

/** A vector of length 1 at this angle, in degrees: its score beside another is the cosine of what is between them. */
function towards(degrees: number): Float32Array {
  const angle = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(angle), Math.sin(angle));
}

interface AWord {
  readonly receipt: number;
  readonly degrees: number;
  readonly labels: readonly string[];
  readonly merchant: string;
}

function stored(words: readonly AWord[]): StoredVector[] {
  return words.map(({ receipt, degrees, labels, merchant }, at) => ({
    id: wordId(receipt, at + 1),
    vector: towards(degrees),
    metadata: {
      merchant_name: merchant,
      ...(labels.length === 0 ? {} : { validated_labels: labels }),
    },
  }));
}

const words = (count: number, word: (at: number) => Partial<AWord> = () => ({})): StoredVector[] =>
  stored(
    Array.from({ length: count }, (_, at) => ({
      receipt: at + 1,
      degrees: at / 10,
      labels: [],
      merchant: 'A',
      ...word(at),
    })),
  );

const wanted: Wanted = { vector: towards(0), k: 10, filter: [], byReceipt: false };

async function find(
  vectors: readonly StoredVector[],
  changes: Partial<Wanted>,
): Promise<{ found: string[]; complete: boolean; asked: number[] }> {
  const store = new MemoryStore().add('words', ...vectors);
  const { hits, complete } = await nearestHits(store, 'words', { ...wanted, ...changes });
  return { found: hits.map(({ id }) => id), complete, asked: store.asked };
}

const idsOf = (vectors: readonly StoredVector[]): string[] => vectors.map(({ id }) => id);

describe('the nearest hits', () => {
  it('are asked for once where nothing is dropped', async () => {
    const vectors = words(20);
    expect(await find(vectors, {})).toStrictEqual({
      found: idsOf(vectors).slice(0, 10),
      complete: true,
      asked: [10],
    });
  });

  it('leave the example itself out, and ask for one more instead', async () => {
    const vectors = words(20);
    expect(await find(vectors, { notId: wordId(1, 1) })).toStrictEqual({
      found: idsOf(vectors).slice(1, 11),
      complete: true,
      asked: [11],
    });
  });

  it('are asked for again while too few are left', async () => {
    const vectors = words(100, (at) => ({ labels: at < 50 ? ['TAX'] : ['TOTAL'] }));
    expect(await find(vectors, { notLabel: 'TAX' })).toStrictEqual({
      found: idsOf(vectors).slice(50, 60),
      complete: true,
      asked: [20, 60],
    });
  });

  it('are not complete when 300 were asked for and too few are left', async () => {
    const vectors = words(400, (at) => ({ labels: at < 298 ? ['TAX'] : [] }));
    expect(await find(vectors, { notLabel: 'TAX' })).toStrictEqual({
      found: idsOf(vectors).slice(298, 300),
      complete: false,
      asked: [20, 60, 180, 300],
    });
  });

  it('are complete when the store has no more, however few they are', async () => {
    const vectors = words(15, () => ({ receipt: 1 }));
    expect(await find(vectors, { byReceipt: true })).toStrictEqual({
      found: [wordId(1, 1)],
      complete: true,
      asked: [20],
    });
  });

  it('end at the lowest score, and are not asked for below it', async () => {
    const vectors = words(400, (at) => ({ receipt: 1, degrees: at }));
    const half = Math.cos(Math.PI / 3);
    expect(await find(vectors, { byReceipt: true, minScore: half })).toStrictEqual({
      found: [wordId(1, 1)],
      complete: true,
      asked: [20, 60, 180],
    });
  });

  it('go on where the store itself has left out some that it did not look behind', async () => {
    const vectors = words(40);
    const store = new MemoryStore().add('words', ...vectors);
    const asked: number[] = [];
    const found = await nearestHits(
      {
        query: async (collection, query) => {
          asked.push(query.k);
          const { hits } = await store.query(collection, query);
          return { hits: hits.slice(0, query.k / 2), complete: false };
        },
      },
      'words',
      wanted,
    );
    expect(asked).toStrictEqual([10, 30]);
    expect(idsOf(vectors).slice(0, 10)).toStrictEqual(found.hits.map(({ id }) => id));
    expect(found.complete).toBe(true);
  });
});

/** What the search promises, said plainly: everything is looked at. */
function naive(vectors: readonly StoredVector[], want: Wanted): string[] {
  const receipts = new Set<string>();
  return vectors
    .map(({ id, vector, metadata }) => ({ id, metadata, score: cosine(want.vector, vector) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .filter(({ id, score, metadata: { merchant_name, validated_labels = [] } }) => {
      const labels = validated_labels as readonly string[];
      const receipt = receiptOf(id);
      const passes =
        want.filter.every(
          (condition) => 'equals' in condition && condition.equals === merchant_name,
        ) &&
        id !== want.notId &&
        receipt !== want.notReceipt &&
        (want.notLabel === undefined || !labels.includes(want.notLabel)) &&
        score >= (want.minScore ?? -1) &&
        !(want.byReceipt && receipts.has(receipt));
      if (passes) receipts.add(receipt);
      return passes;
    })
    .map(({ id }) => id)
    .slice(0, want.k);
}

const aWord: fc.Arbitrary<AWord> = fc.record({
  receipt: fc.integer({ min: 1, max: 6 }),
  degrees: fc.integer({ min: 0, max: 180 }),
  labels: fc.subarray(['TAX', 'TOTAL']),
  merchant: fc.constantFrom('A', 'B'),
});

const merchantIsA: FilterCondition[] = [{ field: 'merchant_name', equals: 'A' }];

const aWish = fc.record({
  degrees: fc.integer({ min: 0, max: 180 }),
  k: fc.integer({ min: 1, max: 300 }),
  filter: fc.constantFrom<FilterCondition[]>([], merchantIsA),
  notReceipt: fc.option(fc.constant(receiptOf(wordId(1, 1))), { nil: undefined }),
  notLabel: fc.constantFrom(undefined, 'TAX'),
  minScore: fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: undefined }),
  byReceipt: fc.boolean(),
  own: fc.option(fc.nat(), { nil: undefined }),
});

describe('dropping and asking for more', () => {
  it.each([
    ['what looking at everything finds, where everything is few', 0, 40],
    ['the beginning of it, where it stopped at 300', 250, 700],
  ])('finds %s', async (_, minLength, maxLength) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aWord, { minLength, maxLength, size: 'max' }),
        aWish,
        async (made, { degrees, own, ...wish }) => {
          const vectors = stored(made);
          const want: Wanted = {
            ...wish,
            vector: towards(degrees),
            notId: own === undefined ? undefined : vectors[own % vectors.length]?.id,
          };
          const { found, complete, asked } = await find(vectors, want);
          const all = naive(vectors, want);
          expect(found).toStrictEqual(all.slice(0, found.length));
          if (complete) expect(found).toHaveLength(all.length);
          else expect(asked.at(-1)).toBe(300);
        },
      ),
      { numRuns: 100 },
    );
  });
});
