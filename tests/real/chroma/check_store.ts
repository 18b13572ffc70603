import assert from 'node:assert/strict';
import { inspect, isDeepStrictEqual } from 'node:util';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import { ChromaApi } from 'receipt-embedding/stores/chroma/chroma_api';
import { ChromaStore } from 'receipt-embedding/stores/chroma/chroma_store';
import { CHROMA_FLOAT_FIELDS, chromaMetadata } from 'receipt-embedding/stores/chroma_metadata';
import { matches } from 'receipt-embedding/stores/filter';
import { listedMetadata } from 'receipt-embedding/stores/listed_metadata';
import type {
  FilterCondition,
  VectorRecord,
  VectorStore,
  WordMetadata,
} from 'receipt-embedding/stores/vector_store';
import { aLine, aWord } from '../../support/receipt_factory.ts';
import { openTestStore } from '../../support/vector_stores.ts';
import { check } from './checks.ts';

const [endpoint = ''] = process.argv.slice(2);
const DIMENSIONS = 32;
const WORDS = 900;

/** An assert.deepEqual of thousands of numbers would print, and take minutes and gigabytes to find what to print. */
function equal(actual: readonly unknown[], expected: readonly unknown[]): void {
  assert.equal(actual.length, expected.length);
  const differs = actual.findIndex((of, at) => !isDeepStrictEqual(of, expected[at]));
  if (differs >= 0) {
    const shown = (of: unknown) => inspect(of, { breakLength: Infinity }).slice(0, 1_000);
    assert.fail(`${shown(actual[differs])} is not ${shown(expected[differs])}`);
  }
}

/** The same numbers each time: between 0 and 1, by Lehmer. */
function randomNumbers(): () => number {
  let state = 20_261_201;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const random = randomNumbers();
const oneOf = <Value>(...values: readonly Value[]): Value =>
  values[Math.floor(random() * values.length)] as Value;

function randomVector(): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
}

const [poor = assert.fail('no word')] = embeddingItems(
  { lines: [], words: [aWord()], labels: [] },
  undefined,
  'batch',
).words;
const [line = assert.fail('no line')] = embeddingItems(
  { lines: [aLine()], words: [], labels: [] },
  'Corner Market',
  'realtime',
).lines;

const LABELS = ['DATE', 'TIME', 'TAX', 'GRAND_TOTAL', 'MERCHANT_NAME'];

function randomMetadata(at: number): WordMetadata {
  const some = (): string[] => LABELS.filter(() => random() < 0.15);
  const merchant = oneOf(undefined, 'Aldi', 'Corner Market', 'a "b" \\ $c');
  const url = oneOf(undefined, 'example.com/');
  return {
    ...poor.metadata,
    text: `WORD ${at} €`,
    receipt_id: oneOf(1, 2, 12),
    line_id: oneOf(1, 2, 12),
    // Whole numbers among them, which must stay floats.
    x: oneOf(0, 1, 0.25),
    validated_labels: some(),
    invalid_labels: some(),
    ...(merchant === undefined ? {} : { merchant_name: merchant }),
    ...(url === undefined ? {} : { normalized_url: url }),
  };
}

function randomRecords(): VectorRecord[] {
  return Array.from({ length: WORDS }, (_, at) => ({
    id: `word-${at}`,
    vector: randomVector(),
    metadata: randomMetadata(at),
  }));
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (c: Float32Array, d: Float32Array) =>
    c.reduce((sum, number, at) => sum + number * (d[at] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** An exact search. */
function nearest(
  records: readonly VectorRecord[],
  vector: Float32Array,
  k: number,
  filter: readonly FilterCondition[],
): { id: string; score: number }[] {
  return records
    .filter(({ metadata }) => matches(listedMetadata(metadata), filter))
    .map(({ id, vector: of }) => ({ id, score: cosine(vector, of) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
}

const store = new ChromaStore({ endpoint });
const api = new ChromaApi({ endpoint }, 10_000);
const s3 = await openTestStore('s3_vectors', DIMENSIONS);
let records = randomRecords();

const FILTERS: readonly (readonly FilterCondition[])[] = [
  [],
  [{ field: 'merchant_name', equals: 'Aldi' }],
  [{ field: 'merchant_name', equals: 'a "b" \\ $c' }],
  [{ field: 'merchant_name', equals: '' }],
  [{ field: 'receipt_id', equals: 12 }],
  [{ field: 'receipt_id', equals: '12' }],
  [{ field: 'line_id', equals: 1.5 }],
  [
    { field: 'line_id', equals: 1 },
    { field: 'receipt_id', equals: 1 },
  ],
  [{ field: 'normalized_url', equals: 'example.com/' }],
  ...LABELS.map((contains) => [{ field: 'validated_labels' as const, contains }]),
  [{ field: 'validated_labels', contains: 'TOTAL' }],
  [
    { field: 'validated_labels', contains: 'TAX' },
    { field: 'invalid_labels', contains: 'DATE' },
  ],
  [
    { field: 'invalid_labels', contains: 'GRAND_TOTAL' },
    { field: 'merchant_name', equals: 'Corner Market' },
  ],
];

async function sameHits(asked: VectorStore, tolerance: number): Promise<string> {
  let hits = 0;
  for (const filter of FILTERS) {
    for (let question = 0; question < 5; question += 1) {
      const vector = randomVector();
      const answer = await asked.query('words', { vector, k: 10, filter });
      const wanted = nearest(records, vector, 10, filter);
      assert.deepEqual(
        answer.hits.map(({ id }) => id),
        wanted.map(({ id }) => id),
        JSON.stringify(filter),
      );
      for (const [at, { score }] of answer.hits.entries()) {
        assert.ok(Math.abs(score - (wanted[at]?.score ?? NaN)) < tolerance, `a score of ${score}`);
      }
      assert.equal(answer.complete, true);
      hits += answer.hits.length;
    }
  }
  return `${FILTERS.length * 5} questions, ${hits} hits`;
}

async function fill(): Promise<void> {
  const outcome = { stored: WORDS, refused: [] };
  assert.deepEqual(await store.upsert('words', records), outcome);
  assert.deepEqual(await s3.store.upsert('words', records), outcome);
}

await check('an empty server has no hits, and gets its collections', async () => {
  assert.deepEqual(await store.query('words', { vector: randomVector(), k: 3 }), {
    hits: [],
    complete: true,
  });
  assert.equal((await api.findCollection('words'))?.space, 'cosine');
  return await store.identity();
});
await check('the hits are those of an exact search', async () => {
  await fill();
  return await sameHits(store, 1e-5);
});
await check('and those of s3_vectors', () => sameHits(s3.store, 1e-6));
await check('what is fetched is what was written', async () => {
  const ids = records.map(({ id }) => id);
  const fetched = await store.fetch('words', ids);
  equal(
    fetched.map(({ id, metadata }) => ({ id, metadata })),
    records.map(({ id, metadata }) => ({ id, metadata: listedMetadata(metadata) })),
  );
  // For cosines, a server makes a vector one of length 1, and gives it back as it was within the rounding of that.
  for (const [at, { vector }] of records.entries()) {
    const held = fetched[at]?.vector ?? [];
    assert.ok(vector.every((number, of) => Math.abs(number - (held[of] ?? NaN)) < 1e-6));
  }
  return `${ids.length} records`;
});
await check('its types are those of the deltas', async () => {
  const collection = (await api.findCollection('words'))?.id ?? '';
  const place = `${endpoint}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  const whole = records.filter(({ metadata }) => Number.isInteger(metadata.x)).slice(0, 20);
  const answer = await fetch(`${place}/${collection}/get`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ids: whole.map(({ id }) => id), include: ['metadatas'] }),
  });
  const text = await answer.text();
  const { metadatas } = JSON.parse(text) as { metadatas: Record<string, unknown>[] };
  assert.deepEqual(
    metadatas.map((metadata) => Object.keys(metadata).sort().join()).sort(),
    whole.map(({ metadata }) => Object.keys(chromaMetadata(metadata)).sort().join()).sort(),
  );
  for (const name of CHROMA_FLOAT_FIELDS)
    assert.doesNotMatch(text, new RegExp(`"${name}":\\d+[,}]`));
  assert.match(text, /"line_id":\d+[,}]/);
  return `${whole.length} records`;
});
await check('written anew with other metadata, nothing of the old is left', async () => {
  records = randomRecords();
  await fill();
  const fetched = await store.fetch(
    'words',
    records.map(({ id }) => id),
  );
  equal(
    fetched.map(({ metadata }) => metadata),
    records.map(({ metadata }) => listedMetadata(metadata)),
  );
  return await sameHits(store, 1e-5);
});
await check('300 hits in one answer', async () => {
  const { hits } = await store.query('words', { vector: randomVector(), k: 300 });
  assert.equal(new Set(hits.map(({ id }) => id)).size, 300);
  return undefined;
});
await check('what is removed is found no more, and removing it again is no error', async () => {
  const gone = records.slice(0, 500).map(({ id }) => id);
  await store.remove('words', gone);
  await store.remove('words', gone);
  records = records.slice(500);
  assert.deepEqual(await store.fetch('words', gone), []);
  return await sameHits(store, 1e-5);
});
await check('lines are apart from words', async () => {
  await store.upsert('lines', [{ id: 'line-1', vector: randomVector(), metadata: line.metadata }]);
  assert.deepEqual(
    (await store.fetch('lines', ['line-1', 'word-700'])).map(({ id }) => id),
    ['line-1'],
  );
  return undefined;
});
await check('vectors of another length are a wrong configuration', async () => {
  const wrong = { id: 'x', vector: new Float32Array(4).fill(1), metadata: poor.metadata };
  await assert.rejects(store.upsert('words', [wrong]), InvalidConfiguration);
  await assert.rejects(store.checkDimension(4), InvalidConfiguration);
  await store.checkDimension(DIMENSIONS);
  return undefined;
});
await check('two that make a collection at once have the same', async () => {
  const [a, b] = await Promise.all([
    new ChromaStore({ endpoint }).identity(),
    new ChromaStore({ endpoint }).identity(),
  ]);
  assert.equal(a, b);
  return undefined;
});
await check('a database that is not there is a wrong configuration', async () => {
  const elsewhere = new ChromaStore({ endpoint, database: 'not_there' });
  await assert.rejects(elsewhere.identity(), InvalidConfiguration);
  return undefined;
});
await s3.close();
