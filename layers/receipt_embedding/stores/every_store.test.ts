import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import {
  openTestStore,
  STORE_NAMES,
  type TestStore,
} from '../../../tests/support/vector_stores.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { matches } from './filter.ts';
import { listedMetadata } from './listed_metadata.ts';
import type {
  FilterCondition,
  LineMetadata,
  VectorMetadata,
  VectorRecord,
  WordMetadata,
} from './vector_store.ts';

const DIMENSIONS = 3;

const labels = [
  aLabel({ label: 'DATE' }),
  aLabel({ label: 'TIME' }),
  aLabel({ label: 'TAX', validation_status: 'INVALID' }),
];

/** One word with everything that metadata can have, and one with as little as it must have. */
function wordsOf() {
  const extracted_data = { type: 'address' as const, value: '12 Oak Street' };
  const rich = embeddingItems(
    { lines: [], words: [aWord({ word_id: 1, extracted_data })], labels },
    'Corner Market',
    'batch',
  ).words;
  const poor = embeddingItems(
    { lines: [], words: [aWord({ word_id: 1 })], labels: [] },
    undefined,
    'batch',
  ).words;
  return { rich: metadataOf(rich), poor: metadataOf(poor) };
}

function lineOf(): LineMetadata {
  const { lines } = embeddingItems({ lines: [aLine()], words: [], labels: [] }, 'X', 'realtime');
  return metadataOf(lines);
}

function metadataOf<Metadata>([item]: readonly { readonly metadata: Metadata }[]): Metadata {
  return item?.metadata ?? expect.fail();
}

const { rich, poor } = wordsOf();

/** Vectors of length 1: the further on, the further from the first axis. */
function directionOf(at: number): Float32Array {
  const angle = at / 1_000;
  return Float32Array.of(Math.cos(angle), Math.sin(angle), 0);
}

function recordOf(at: number, metadata: VectorMetadata = poor): VectorRecord {
  return { id: `id-${String(at).padStart(5, '0')}`, vector: directionOf(at), metadata };
}

const idsOf = (records: readonly { readonly id: string }[]) => records.map(({ id }) => id);

describe.each(STORE_NAMES)('the store %s', (name) => {
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore(name, DIMENSIONS);
  });
  afterEach(() => test.close());

  it('gives back what was written, number for number, in the one form of all stores', async () => {
    const { store } = test;
    const records = [recordOf(1, rich), recordOf(2, poor)];

    expect(await store.upsert('words', records)).toStrictEqual({ stored: 2, refused: [] });
    expect(await store.upsert('lines', [recordOf(1, lineOf())])).toStrictEqual({
      stored: 1,
      refused: [],
    });

    const [second, first, ...more] = await store.fetch('words', ['id-00002', 'no', 'id-00001']);
    expect([first, second]).toStrictEqual(
      records.map(({ id, vector, metadata }) => ({
        id,
        vector,
        metadata: listedMetadata(metadata),
      })),
    );
    expect(more).toStrictEqual([]);
    expect(idsOf(await store.fetch('lines', ['id-00001', 'id-00002']))).toStrictEqual(['id-00001']);
    expect(idsOf(await store.fetch('lines', ['id-00001', 'id-00001']))).toHaveLength(2);
  });

  it('keeps nothing of what a record had before', async () => {
    const { store } = test;
    await store.upsert('words', [recordOf(1, rich)]);
    await store.upsert('words', [recordOf(1, poor)]);

    const [held] = await store.fetch('words', ['id-00001']);
    expect(held?.metadata).toStrictEqual(listedMetadata(poor));
  });

  it('holds a record once, however often it is written', async () => {
    const { store } = test;
    await store.upsert('words', [recordOf(1), recordOf(2)]);
    await store.upsert('words', [recordOf(1), recordOf(2)]);

    const { hits } = await store.query('words', { vector: directionOf(0), k: 10 });
    expect(idsOf(hits)).toStrictEqual(['id-00001', 'id-00002']);
  });

  it('removes what it has; what it does not have is no error, in a store that has nothing either', async () => {
    const { store } = test;
    await store.remove('words', ['id-00001']);
    await store.upsert('words', [recordOf(1), recordOf(2)]);
    await store.remove('words', ['id-00001', 'no']);
    await store.remove('words', ['id-00001']);
    await store.remove('words', []);

    expect(await store.fetch('words', ['id-00001'])).toStrictEqual([]);
    expect(idsOf(await store.fetch('words', ['id-00002']))).toStrictEqual(['id-00002']);
  });

  it('is asked, before anything was written, and has no hits', async () => {
    expect(await test.store.query('lines', { vector: directionOf(0), k: 10 })).toStrictEqual({
      hits: [],
      complete: true,
    });
    expect(await test.store.fetch('lines', ['id-00001'])).toStrictEqual([]);
  });

  it('scores by the cosine, whatever the length of a vector; nearest first, equals by id', async () => {
    const { store } = test;
    const at = (id: string, ...numbers: number[]) => ({
      ...recordOf(0),
      id,
      vector: Float32Array.from(numbers),
    });
    await store.upsert('words', [
      at('opposite', -1, 0, 0),
      at('north-b', 0, 1, 0),
      at('north-a', 0, 2, 0),
      at('same', 5, 0, 0),
      at('near', 1, 1, 0),
    ]);

    const { hits } = await store.query('words', { vector: Float32Array.of(3, 0, 0), k: 5 });

    expect(idsOf(hits)).toStrictEqual(['same', 'near', 'north-a', 'north-b', 'opposite']);
    const scores = [1, Math.SQRT1_2, 0, 0, -1];
    for (const [rank, { score }] of hits.entries()) expect(score).toBeCloseTo(scores[rank] ?? 0, 6);
  });

  it('writes, finds, fetches and removes more than fit in one request', async () => {
    const { store } = test;
    const records = Array.from({ length: 1_100 }, (_, at) => recordOf(at));
    expect(await store.upsert('words', records)).toStrictEqual({ stored: 1_100, refused: [] });

    const { hits, complete } = await store.query('words', { vector: directionOf(0), k: 300 });
    expect([idsOf(hits), complete]).toStrictEqual([idsOf(records.slice(0, 300)), true]);
    const fetched = await store.fetch('words', idsOf(records));
    expect(idsOf(fetched)).toStrictEqual(idsOf(records));
    await store.remove('words', idsOf(records.slice(1)));
    expect(idsOf(await store.fetch('words', idsOf(records)))).toStrictEqual(['id-00000']);
  });

  it('does nothing where there is nothing to do', async () => {
    const { store } = test;
    expect(await store.upsert('words', [])).toStrictEqual({ stored: 0, refused: [] });
    await store.remove('words', []);
    expect(await store.fetch('words', [])).toStrictEqual([]);
    expect(test.requests()).toStrictEqual([]);
  });

  it('has an identity of its own, which says no secret and is the same the next time', async () => {
    const other = await openTestStore(name, DIMENSIONS);
    const identities = [
      await test.store.identity(),
      await test.store.identity(),
      await other.store.identity(),
    ];
    await other.close();

    expect(identities[0]).toBe(identities[1]);
    // Both vector buckets have one name: in AWS only one of them could be there.
    if (name !== 's3_vectors') expect(identities[2]).not.toBe(identities[0]);
    expect(identities[0]?.length).toBeLessThanOrEqual(300);
    expect(identities[0]).not.toContain('secret');
  });

  it('takes vectors of its dimensions, and of no others', async () => {
    await test.store.upsert('words', [recordOf(1)]);

    await expect(test.store.checkDimension(DIMENSIONS)).resolves.toBeUndefined();
    await expect(test.store.checkDimension(1_536)).rejects.toMatchObject({
      name: 'InvalidConfiguration',
    });
    const wrong = { ...recordOf(1), vector: new Float32Array(4).fill(1) };
    await expect(test.store.upsert('words', [recordOf(2), wrong])).rejects.toMatchObject({
      name: 'InvalidConfiguration',
    });
  });

  it.each<[string, FilterCondition, number]>([
    ['a number', { field: 'line_id', equals: 1 }, 1],
    ['a number that no id is', { field: 'line_id', equals: 1.5 }, 0],
    ['a text in place of a number', { field: 'receipt_id', equals: '1' }, 0],
    ['no text', { field: 'merchant_name', equals: '' }, 0],
    ['no label', { field: 'validated_labels', contains: '' }, 0],
  ])('finds what is equal, by %s', async (_, condition, found) => {
    await test.store.upsert('words', [recordOf(1)]);

    const query = { vector: directionOf(0), k: 10, filter: [condition] };
    expect((await test.store.query('words', query)).hits).toHaveLength(found);
  });

  it('means by a filter what every other store means by it', async () => {
    const { store } = test;
    await fc.assert(
      fc.asyncProperty(
        fc.array(someMetadata, { minLength: 1, maxLength: 25 }),
        someFilter,
        async (all, filter) => {
          const records = all.map((metadata, at) => recordOf(at, metadata));
          await store.upsert('words', records);
          const rest = Array.from({ length: 25 - all.length }, (_, at) =>
            recordOf(all.length + at),
          );
          await store.remove('words', idsOf(rest));

          const answer = await store.query('words', { vector: directionOf(0), k: 300, filter });

          const wanted = records.filter(({ metadata }) =>
            matches(listedMetadata(metadata), filter),
          );
          expect([idsOf(answer.hits), answer.complete]).toStrictEqual([idsOf(wanted), true]);
          for (const { metadata } of answer.hits) expect(matches(metadata, filter)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

const some = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);
const someLabels = fc.uniqueArray(some('A', 'B', 'AB', 'C D'), { maxLength: 3 });

const someMetadata: fc.Arbitrary<WordMetadata> = fc
  .record(
    {
      receipt_id: some(1, 2, 12),
      line_id: some(1, 2, 12),
      merchant_name: some('', 'Aldi', 'ALDI', '7', 'a "b" \\ $c'),
      label_status: some('validated' as const, 'auto_suggested' as const, 'unvalidated' as const),
      validated_labels: someLabels,
      invalid_labels: someLabels,
      normalized_phone_10: some('5551234567', '5557654321'),
      normalized_full_address: some('1 OAK ST', '2 OAK ST'),
      normalized_url: some('example.com/', 'example.com/a'),
    },
    {
      requiredKeys: ['receipt_id', 'line_id', 'label_status', 'validated_labels', 'invalid_labels'],
    },
  )
  .map((changes) => ({ ...poor, ...changes }));

const values = {
  image_id: some<string | number>(IMAGE_ID, 'no'),
  receipt_id: some<string | number>(1, 2, 12, '1', 1.5),
  line_id: some<string | number>(1, 2, 12, '1', 1.5),
  merchant_name: some<string | number>('Aldi', 'aldi', '', '7', 7, 'a "b" \\ $c'),
  label_status: some<string | number>('validated', 'auto_suggested'),
  section: some<string | number>('UNLABELED'),
  normalized_phone_10: some<string | number>('5551234567', 5_551_234_567),
  normalized_full_address: some<string | number>('1 OAK ST', '3 OAK ST'),
  normalized_url: some<string | number>('example.com/', ''),
} as const;

const someCondition: fc.Arbitrary<FilterCondition> = fc.oneof(
  ...(Object.keys(values) as (keyof typeof values)[]).map((field) =>
    values[field].map((equals) => ({ field, equals })),
  ),
  fc.record({
    field: some('validated_labels' as const, 'invalid_labels' as const),
    contains: some('A', 'B', 'AB', 'C D', 'a', '', 'X'),
  }),
);

const someFilter = fc.array(someCondition, { maxLength: 3 });
