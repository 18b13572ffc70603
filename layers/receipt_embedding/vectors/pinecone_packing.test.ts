import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aWord } from '../../../tests/support/receipt_factory.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { InvalidRequest } from '../errors.ts';
import { packUpserts, UPSERT_LIMITS, type PackedUpsert } from './pinecone_packing.ts';
import type { VectorRecord } from './vector_store.ts';

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

          const upserts = packUpserts('words', words, { ...UPSERT_LIMITS, bytes, records });

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
    const [both] = packUpserts('words', words);
    const bytes = both?.bytes ?? NaN;

    expect(packUpserts('words', words, { ...UPSERT_LIMITS, bytes })).toHaveLength(1);
    expect(packUpserts('words', words, { ...UPSERT_LIMITS, bytes: bytes - 1 })).toHaveLength(2);
  });

  it('are at most 1,000 in a request', () => {
    const upserts = packUpserts('words', wordsOf(Array<string>(1_001).fill('MILK')));

    expect(upserts.map(({ records }) => records.length)).toStrictEqual([1_000, 1]);
  });

  it('are none at all without records', () => {
    expect(packUpserts('words', [])).toStrictEqual([]);
  });

  it('fail by name, without their text, where one has more metadata than Pinecone takes', () => {
    const pack = (letters: number) => () => packUpserts('words', wordsOf(['S'.repeat(letters)]));

    expect(pack(40_000)).not.toThrow();
    expect(pack(41_000)).toThrow(InvalidRequest);
    expect(pack(41_000)).toThrow(
      /^the metadata of IMAGE#[^ ]+#WORD#00001 takes 41\d{3} bytes; Pinecone takes 40960$/,
    );
  });

  it('fail by name where one is more than a request may be', () => {
    const words = wordsOf(['MILK', 'BREAD'], new Float32Array(250_000).fill(0.123456));

    const pack = () => packUpserts('words', words);

    expect(pack).toThrow(InvalidRequest);
    expect(pack).toThrow(/^IMAGE#[^ ]+#WORD#00001 takes 225\d{4} bytes, more than a request/);
  });
});
