import { costOf, type Price } from 'receipt-embedding/prices';
import type { EmbeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { listedMetadata } from 'receipt-embedding/stores/listed_metadata';

/**
 * What the vector stores cost, in US dollars, of the plans and regions that are named. Their own pages, as of STORE_PRICES_AS_OF: Amazon
 * S3's page "Pricing", tab "S3 Vectors", us-east-1, an index of less than 10 million vectors; Pinecone's page "Pricing", plan Standard,
 * serverless on AWS in us-east-1, and its guide "Understand cost"; Chroma Cloud's page "Pricing". A Chroma server of your own costs what
 * its machine does.
 */
export const STORE_PRICES = {
  s3_vectors: {
    put: { usd: 0.2, per: 1, unit: 'GB put' },
    month: { usd: 0.06, per: 1, unit: 'GB-month' },
    query: { usd: 2.5, per: 1_000_000, unit: 'query' },
    /** What a query looks through: vectors, keys and the metadata that can be filtered on, of the whole index. */
    first_processed: { usd: 0.004, per: 1, unit: 'TB of the first 100,000 vectors' },
    further_processed: { usd: 0.002, per: 1, unit: 'TB of the others' },
  },
  pinecone: {
    write_unit: { usd: 4, per: 1_000_000, unit: 'write unit' },
    month: { usd: 0.33, per: 1, unit: 'GB-month' },
    read_unit: { usd: 16, per: 1_000_000, unit: 'read unit' },
  },
  chroma: {
    written: { usd: 2.5, per: 1, unit: 'GiB written' },
    month: { usd: 0.33, per: 1, unit: 'GiB-month' },
    queried: { usd: 0.007_5, per: 1, unit: 'TiB queried' },
    returned: { usd: 0.09, per: 1, unit: 'GiB returned' },
  },
} as const satisfies Readonly<Record<StoreName, Readonly<Record<string, Price>>>>;

/** S3 Vectors: of the page as it was harvested on 2026-09-20, Pinecone on 2026-11-04, Chroma Cloud on 2026-10-07. */
export const STORE_PRICES_AS_OF = '2026-11-04';

/** What a month costs at least, whatever is used of it: Pinecone's plan Standard. */
export const MONTHLY_MINIMUM_USD: Readonly<Record<StoreName, number>> = {
  s3_vectors: 0,
  pinecone: 50,
  chroma: 0,
};

const GB = 1_000_000_000;
const GIB = 2 ** 30;
/** S3 Vectors bills a PutVectors request for so many bytes at least. */
const LEAST_PUT = 128 * 1_024;
/** Pinecone bills a written record by the KB, and a query by the GB of its namespace, with a quarter of a unit at least. */
const PINECONE_WRITE_BYTES = 1_024;
const LEAST_READ_UNITS = 0.25;
/** Vectors up to which S3 Vectors bills what a query looks through by its first price. */
const FIRST_VECTORS = 100_000;
/** Of what a vector holds beside its numbers, the share that S3 Vectors can filter on. */
const FILTERABLE = 0.5;

/** What stores are given: as many bytes in each, within a few percent. */
export interface StoredBytes {
  readonly vectors: number;
  /** Vectors, ids and metadata. */
  readonly bytes: number;
  /** The same as S3 Vectors bills it for being put. */
  readonly put_bytes: number;
  /** Pinecone's. */
  readonly write_units: number;
}

/** Adds up what is written to the stores. */
export class StoredBytesCounter {
  readonly #dimensions: number;
  readonly #sum = { vectors: 0, bytes: 0, put_bytes: 0, write_units: 0 };

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
  }

  get sum(): StoredBytes {
    return { ...this.#sum };
  }

  /** @param items of one receipt and one collection, which are put by one request. */
  add(items: EmbeddingItems['lines'] | EmbeddingItems['words']): void {
    if (items.length === 0) return;
    let bytes = 0;
    for (const { id, metadata } of items) {
      const one =
        4 * this.#dimensions +
        Buffer.byteLength(id) +
        Buffer.byteLength(JSON.stringify(listedMetadata(metadata)));
      bytes += one;
      this.#sum.write_units += Math.ceil(one / PINECONE_WRITE_BYTES);
    }
    this.#sum.vectors += items.length;
    this.#sum.bytes += bytes;
    this.#sum.put_bytes += Math.max(bytes, LEAST_PUT);
  }
}

/** US dollars of writing to a store, once. */
export function writingCost(
  store: StoreName,
  { bytes, put_bytes, write_units }: StoredBytes,
): number {
  switch (store) {
    case 's3_vectors':
      return costOf(STORE_PRICES.s3_vectors.put, put_bytes / GB);
    case 'pinecone':
      return costOf(STORE_PRICES.pinecone.write_unit, write_units);
    case 'chroma':
      return costOf(STORE_PRICES.chroma.written, bytes / GIB);
  }
}

/** US dollars a month of holding this in a store, without what the plan costs at least. */
export function holdingCost(store: StoreName, { bytes }: Pick<StoredBytes, 'bytes'>): number {
  return store === 'chroma'
    ? costOf(STORE_PRICES.chroma.month, bytes / GIB)
    : costOf(STORE_PRICES[store].month, bytes / GB);
}

/**
 * US dollars of questions to one collection.
 *
 * @param dimensions of a vector, which tell what of the bytes is metadata.
 * @param answerBytes that an answer has.
 */
export function askingCost(
  store: StoreName,
  { vectors, bytes }: Pick<StoredBytes, 'vectors' | 'bytes'>,
  { questions, dimensions, answerBytes = 10_000 }: AskedQuestions,
): number {
  switch (store) {
    case 's3_vectors': {
      const { query, first_processed, further_processed } = STORE_PRICES.s3_vectors;
      const beside = Math.max(0, bytes - 4 * dimensions * vectors);
      const lookedThrough = (bytes - (1 - FILTERABLE) * beside) / (1_000 * GB);
      const first = Math.min(1, FIRST_VECTORS / Math.max(1, vectors)) * lookedThrough;
      return (
        costOf(query, questions) +
        costOf(first_processed, questions * first) +
        costOf(further_processed, questions * (lookedThrough - first))
      );
    }
    case 'pinecone':
      return costOf(
        STORE_PRICES.pinecone.read_unit,
        questions * Math.max(LEAST_READ_UNITS, bytes / GB),
      );
    case 'chroma':
      return (
        costOf(STORE_PRICES.chroma.queried, (questions * bytes) / (1_024 * GIB)) +
        costOf(STORE_PRICES.chroma.returned, (questions * answerBytes) / GIB)
      );
  }
}

interface AskedQuestions {
  readonly questions: number;
  readonly dimensions: number;
  /** @default ten hits with their metadata */
  readonly answerBytes?: number;
}
