import type { PineconeRecord } from '@pinecone-database/pinecone';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aWord } from '../../../../tests/support/receipt_factory.ts';
import { embeddingItems } from '../../embeddings/embedding_items.ts';
import type { PackedRequest } from '../packed_requests.ts';
import type { VectorRecord, WordMetadata } from '../vector_store.ts';
import { packUpserts, UPSERT_LIMITS } from './pinecone_packing.ts';

/** Words with these texts, one after the other. */
function wordsOf(texts: readonly string[], vector = Float32Array.of(0.5, -0.25)): VectorRecord[] {
  const words = texts.map((text, i) => aWord({ word_id: i + 1, text }));
  return embeddingItems({ lines: [], words, labels: [] }, 'Corner Market', 'batch').words.map(
    ({ id, metadata }) => ({ id, metadata, vector }),
  );
}

/** The body that Pinecone's client makes of a request. */
function bodyOf({ records }: PackedRequest<PineconeRecord>): Buffer {
  const vectors = records.map(({ id, values, metadata }) => ({ id, values, metadata }));
  return Buffer.from(JSON.stringify({ vectors, namespace: 'words' }));
}

const idsOf = (upserts: readonly PackedRequest<PineconeRecord>[]) =>
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
