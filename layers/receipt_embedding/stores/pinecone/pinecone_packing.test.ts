import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord } from '../../../../tests/support/receipt_factory.ts';
import { embeddingItems } from '../../embeddings/embedding_items.ts';
import { chromaMetadata } from '../deltas/delta_store.ts';
import type { VectorRecord, WordMetadata } from '../vector_store.ts';
import {
  type PackedUpsert,
  packUpserts,
  pineconeMetadata,
  printableVector,
  UPSERT_LIMITS,
} from './pinecone_packing.ts';

/** Words with these texts, one after the other. */
function wordsOf(texts: readonly string[], vector = Float32Array.of(0.5, -0.25)): VectorRecord[] {
  const words = texts.map((text, i) => aWord({ word_id: i + 1, text }));
  return embeddingItems({ lines: [], words, labels: [] }, 'Corner Market', 'batch').words.map(
    ({ id, metadata }) => ({ id, metadata, vector }),
  );
}

/** The body that Pinecone's client makes of a request. */
function bodyOf({ records }: PackedUpsert): Buffer {
  const vectors = records.map(({ id, values, metadata }) => ({ id, values, metadata }));
  return Buffer.from(JSON.stringify({ vectors, namespace: 'words' }));
}

const idsOf = (upserts: readonly PackedUpsert[]) =>
  upserts.map(({ records }) => records.map(({ id }) => id));

describe('records packed into upserts', () => {
  it('are in order, each request within the limits and counted to the byte', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.constant('"€"\n\ud800'),
    );
    fc.assert(
      fc.property(
        fc.array(
          text.filter((it) => it.trim() !== ''),
          { maxLength: 30 },
        ),
        fc.integer({ min: 1_000, max: 5_000 }),
        fc.integer({ min: 1, max: 7 }),
        (texts, bytes, records) => {
          const words = wordsOf(texts);

          const { upserts } = packUpserts('words', words, { ...UPSERT_LIMITS, bytes, records });

          expect(idsOf(upserts).flat()).toStrictEqual(words.map(({ id }) => id));
          for (const upsert of upserts) {
            expect(upsert.bytes).toBe(bodyOf(upsert).length);
            expect(upsert.bytes).toBeLessThanOrEqual(bytes);
            expect(upsert.records.length).toBeLessThanOrEqual(records);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('fill a request up to its last byte, and begin another with one byte less', () => {
    const words = wordsOf(['MILK', 'BREAD']);
    const requests = (bytes: number) =>
      packUpserts('words', words, { ...UPSERT_LIMITS, bytes }).upserts;
    const [both] = requests(UPSERT_LIMITS.bytes);
    const bytes = both?.bytes ?? NaN;

    expect([requests(bytes).length, requests(bytes - 1).length]).toStrictEqual([1, 2]);
  });

  it('are at most 1,000 in a request', () => {
    const { upserts } = packUpserts('words', wordsOf(Array<string>(1_001).fill('MILK')));

    expect(upserts.map(({ records }) => records.length)).toStrictEqual([1_000, 1]);
  });

  it('are none at all without records', () => {
    expect(packUpserts('words', [])).toStrictEqual({ upserts: [], refused: [] });
  });

  it('are refused by name, without their text, where their metadata can not be made to fit; the others go', () => {
    const words = wordsOf(['MILK', 'S'.repeat(41_000), 'BREAD']);
    const { upserts, refused } = packUpserts('words', words);
    const [milk, giant, bread] = words.map(({ id }) => id);
    expect(idsOf(upserts)).toStrictEqual([[milk, bread]]);
    expect(refused.map(({ id }) => id)).toStrictEqual([giant]);
    expect(refused[0]?.reason).toMatch(/^its metadata takes 41\d{3} bytes; Pinecone takes 40960$/);
  });

  it('are refused by name where one is more than a request may be', () => {
    const words = wordsOf(['MILK'], new Float32Array(250_000).fill(0.123456));
    const { upserts, refused } = packUpserts('words', words);
    expect([upserts, refused.map(({ id }) => id)]).toStrictEqual([[], [words[0]?.id]]);
    expect(refused[0]?.reason).toMatch(
      /^it takes 225\d{4} bytes; a request to Pinecone takes 2000000$/,
    );
  });
});

describe('metadata over Pinecone’s 40,960 bytes', () => {
  const [{ id, metadata, vector } = expect.fail()] = wordsOf(['MILK']);

  function packed(changes: Partial<WordMetadata>) {
    const { upserts, refused } = packUpserts('words', [
      { id, vector, metadata: { ...(metadata as WordMetadata), ...changes } },
    ]);
    return { kept: upserts[0]?.records[0]?.metadata, refused };
  }

  it('is left as it is up to the last byte', () => {
    const room = 40_960 - Buffer.byteLength(JSON.stringify(packed({}).kept));
    const text = 'M'.repeat(room + 'MILK'.length);

    expect(packed({ text }).kept).toStrictEqual({ ...packed({}).kept, text });
  });

  it('gives up what quotes others first, then what describes, the labels after that, the text never', () => {
    const long = 'é'.repeat(500);
    const described = {
      left: long,
      right: long,
      normalized_full_address: 'A'.repeat(500),
      label_proposed_by: 'model-1',
      validated_labels: ['PRODUCT_NAME'],
    };
    const fill = (bytes: number) => ({ ...described, text: 'M'.repeat(bytes) });
    const short = `${'é'.repeat(49)}…`;

    expect(packed(fill(39_500)).kept).toStrictEqual({
      ...packed(described).kept,
      text: 'M'.repeat(39_500),
      left: short,
      right: short,
    });
    expect(Object.keys(packed(fill(40_200)).kept ?? {})).toStrictEqual(
      Object.keys(packed(described).kept ?? {}).filter(
        (name) => name !== 'label_proposed_by' && name !== 'normalized_full_address',
      ),
    );
  });

  it.each([
    ['an address', { normalized_full_address: 'A'.repeat(50_000) }, 'normalized_full_address'],
    ['a url', { normalized_url: 'a'.repeat(50_000) }, 'normalized_url'],
    ['a proposer', { label_proposed_by: 'p'.repeat(50_000) }, 'label_proposed_by'],
    ['labels', { validated_labels: ['L'.repeat(50_000)] }, 'validated_labels'],
    ['refused labels', { invalid_labels: ['L'.repeat(50_000)] }, 'invalid_labels'],
  ])('for %s of any length is stored without', (_, changes, field) => {
    const { kept, refused } = packed(changes);

    expect(refused).toStrictEqual([]);
    expect(kept).not.toHaveProperty(field);
    expect(kept?.['text']).toBe('MILK');
  });
});

/** Every float32 that is a number, by its bits: tiny ones, huge ones and both zeros as often as any. */
const anyFloat32 = fc
  .integer({ min: 0, max: 0xff_ff_ff_ff })
  .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN)
  .filter((number) => Number.isFinite(number));

/** As the numbers of an embedding are. */
const ofAnEmbedding = fc.float({ min: -1, max: 1, noNaN: true });

const float32 = fc.oneof(anyFloat32, ofAnEmbedding);

function shortest(number: number): number {
  return printableVector(Float32Array.of(number)).values[0] ?? NaN;
}

/** Every decimal of up to nine digits beside the number that reads back to it: the slow way to the shortest. */
function allDecimals(number: number): number[] {
  return Array.from({ length: 9 }, (_, digits) => {
    const [mantissa = '', exponent] = number.toExponential(digits).split('e');
    const integer = Number(mantissa.replace('.', ''));
    return [-1, 0, 1].map((step) => Number(`${integer + step}e${Number(exponent) - digits}`));
  })
    .flat()
    .filter((decimal) => Math.fround(decimal) === number);
}

describe('a printable number', () => {
  it('reads back to the very float32 that it stands for', () => {
    fc.assert(
      fc.property(float32, (number) => {
        expect(Math.fround(shortest(number))).toBe(number);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is as short as a decimal can be that does', () => {
    fc.assert(
      fc.property(float32, (number) => {
        const lengths = allDecimals(number).map((decimal) => JSON.stringify(decimal).length);
        expect(JSON.stringify(shortest(number))).toHaveLength(Math.min(...lengths));
      }),
      { numRuns: 3_000 },
    );
  });

  it('is so at every power of two, where floats are farther apart above than below', () => {
    for (let exponent = -149; exponent <= 127; exponent += 1) {
      const number = 2 ** exponent;
      const lengths = allDecimals(number).map((decimal) => JSON.stringify(decimal).length);
      expect(JSON.stringify(shortest(number))).toHaveLength(Math.min(...lengths));
    }
  });

  it.each([
    [0.1, '0.1'],
    [-0.017578125, '-0.017578125'],
    [Math.fround(0.0123456789), '0.012345679'],
    [Math.fround(0.000001), '0.000001'],
    [Math.fround(0.99999994), '0.99999994'],
    [1, '1'],
    [16_777_216, '16777216'],
    [2 ** -149, '1e-45'],
    [Math.fround(3.4028235e38), '3.4028235e+38'],
    // The next decimal of so few digits lies above, where floats are farther apart.
    [2 ** -96, '1.2621775e-29'],
    [0, '0'],
    [-0, '0'],
  ])('%s prints as %s', (number, printed) => {
    expect(JSON.stringify(shortest(Math.fround(number)))).toBe(printed);
  });
});

describe('a printable vector', () => {
  it('says how many bytes its JSON takes, to the byte', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(float32, fc.constant(NaN)), { maxLength: 20 }), (numbers) => {
        const { values, jsonBytes } = printableVector(Float32Array.from(numbers));
        expect(jsonBytes).toBe(JSON.stringify(values).length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps the order of its numbers', () => {
    expect(printableVector(Float32Array.of(0.3, -0.2, 0.1)).values).toStrictEqual([0.3, -0.2, 0.1]);
  });
});

const labels = [
  aLabel({ label: 'TIME' }),
  aLabel({ label: 'DATE' }),
  aLabel({ label: 'TAX', validation_status: 'INVALID' }),
];

function itemsOf(merchant: string | undefined, of = labels) {
  const { lines, words } = embeddingItems(
    { lines: [aLine()], words: [aWord()], labels: of },
    merchant,
    'batch',
  );
  return [...lines, ...words].map(({ metadata }) => metadata);
}

describe('metadata for Pinecone', () => {
  it('has every id as a number, and label lists as lists', () => {
    const [line, word] = itemsOf('Corner Market').map(pineconeMetadata);

    expect(line?.['receipt_id']).toBe(1);
    expect([word?.['receipt_id'], word?.['validated_labels'], word?.['invalid_labels']]) //
      .toStrictEqual([1, ['DATE', 'TIME'], ['TAX']]);
  });

  it('leaves out empty label lists and a merchant that nobody knows', () => {
    const named = itemsOf('Corner Market', []).map(pineconeMetadata);
    const unnamed = [...itemsOf(undefined, []), ...itemsOf('', [])].map(pineconeMetadata);

    expect(named.map(({ merchant_name }) => merchant_name)).toStrictEqual([
      'Corner Market',
      'Corner Market',
    ]);
    for (const metadata of unnamed) {
      expect(Object.keys(metadata)).not.toContain('merchant_name');
      expect(Object.keys(metadata)).not.toContain('validated_labels');
      expect(Object.keys(metadata)).not.toContain('invalid_labels');
    }
  });

  it('says the same as Chroma’s in every other field', () => {
    const forms = ['receipt_id', 'validated_labels', 'invalid_labels'];
    const others = (metadata: object) =>
      Object.fromEntries(Object.entries(metadata).filter(([name]) => !forms.includes(name)));

    const items = itemsOf('Corner Market');
    expect(items.map((item) => others(pineconeMetadata(item)))).toStrictEqual(
      items.map((item) => others(chromaMetadata(item))),
    );
  });
});
