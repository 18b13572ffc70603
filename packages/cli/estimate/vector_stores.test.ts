import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { describe, expect, it } from 'vitest';
import { aLine } from '../../../tests/support/receipt_factory.ts';
import { askingCost, holdingCost, StoredBytesCounter, writingCost } from './vector_stores.ts';

const DIMENSIONS = 1_536;

function linesOf(count: number, receipt: Partial<ReceiptIdentity> = {}) {
  const lines = Array.from({ length: count }, (_, at) =>
    aLine({ ...receipt, line_id: at + 1, text: `item ${at}` }),
  );
  return embeddingItems({ lines, words: [], labels: [] }, undefined, 'realtime').lines;
}

describe('what stores are given', () => {
  it('is vectors, ids and metadata; S3 Vectors bills 128 KB a request at least, Pinecone whole KB', () => {
    const few = new StoredBytesCounter(DIMENSIONS);
    few.add(linesOf(2));
    few.add([]);
    const { vectors, bytes, put_bytes, write_units } = few.sum;
    expect(vectors).toBe(2);
    expect(bytes).toBeGreaterThan(2 * (4 * DIMENSIONS + 60));
    expect(bytes).toBeLessThan(2 * (4 * DIMENSIONS + 800));
    expect([put_bytes, write_units]).toStrictEqual([128 * 1_024, 2 * 7]);
    const many = new StoredBytesCounter(DIMENSIONS);
    many.add(linesOf(100));
    expect(many.sum.put_bytes).toBe(many.sum.bytes);
  });
});

describe('what stores cost', () => {
  const million = { vectors: 1e6, bytes: 6.6e9, put_bytes: 6.6e9, write_units: 7e6 };

  it('is by the GB, by the unit, and by the GiB', () => {
    expect(writingCost('s3_vectors', million)).toBeCloseTo(1.32, 5);
    expect(writingCost('pinecone', million)).toBeCloseTo(28, 5);
    expect(writingCost('chroma', { ...million, bytes: 2 ** 30 })).toBeCloseTo(2.5, 5);
    expect(holdingCost('s3_vectors', { bytes: 1e9 })).toBeCloseTo(0.06, 5);
    expect(holdingCost('pinecone', { bytes: 1e9 })).toBeCloseTo(0.33, 5);
    expect(holdingCost('chroma', { bytes: 2 ** 30 })).toBeCloseTo(0.33, 5);
  });

  it('of a question grows with what it looks through, in S3 Vectors less beyond 100,000 vectors', () => {
    const asked = { questions: 1_000_000, dimensions: DIMENSIONS };
    const bare = (vectors: number) => ({ vectors, bytes: vectors * 4 * DIMENSIONS });
    const [none, first, both] = [0, 100_000, 200_000].map((vectors) =>
      askingCost('s3_vectors', bare(vectors), asked),
    ) as [number, number, number];
    expect(none).toBeCloseTo(2.5, 5);
    // 0.6144 GB, a million times.
    expect(first - none).toBeCloseTo(614.4 * 0.004, 5);
    expect(both - first).toBeCloseTo(614.4 * 0.002, 5);
  });

  it('of a question to Pinecone is a quarter of a unit at least', () => {
    const asked = { questions: 1_000_000, dimensions: DIMENSIONS };
    expect(askingCost('pinecone', { vectors: 10, bytes: 60_000 }, asked)).toBeCloseTo(4, 5);
    expect(askingCost('pinecone', { vectors: 1e6, bytes: 2e9 }, asked)).toBeCloseTo(32, 5);
  });
});
