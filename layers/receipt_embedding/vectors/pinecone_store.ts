import type { Index } from '@pinecone-database/pinecone';
import pMap from 'p-map';
import { unwrapPineconeError } from './pinecone_errors.ts';
import { packUpserts, type PackedUpsert } from './pinecone_packing.ts';
import type { VectorCollection, VectorRecord, VectorStore } from './vector_store.ts';

/** What the store needs of Pinecone's client. */
export type UpsertIndex = Pick<Index, 'upsert'>;

/** Requests at once. */
const CONCURRENCY = 5;

/** Writes vectors to a Pinecone index, whose namespaces are the collections (docs/data_model.md §4). */
export class PineconeStore implements VectorStore {
  readonly #index: () => Promise<UpsertIndex>;

  /** @param index finds the index; asked for each upsert. */
  constructor(index: () => Promise<UpsertIndex>) {
    this.#index = index;
  }

  /**
   * Upserts records in requests within Pinecone's limits, at most 5 at once. When one fails, no further one is begun, and
   * those under way are waited for: a function that ends leaves nothing running.
   *
   * @returns the number of vectors written.
   * @throws InvalidRequest before anything is written, naming the record that is over a limit by itself; else what the
   * first request to fail failed with: RateLimited, UpstreamUnavailable, QuotaExhausted, InvalidConfiguration, InvalidRequest.
   */
  async upsert(collection: VectorCollection, records: readonly VectorRecord[]): Promise<number> {
    const upserts = packUpserts(collection, records);
    if (upserts.length === 0) return 0;
    const index = await this.#index().catch(rethrow);
    const failures: unknown[] = [];
    const send = async ({ records }: PackedUpsert): Promise<void> => {
      if (failures.length > 0) return;
      try {
        await index.upsert({ records, namespace: collection });
      } catch (error) {
        failures.push(error);
      }
    };
    await pMap(upserts, send, { concurrency: CONCURRENCY });
    if (failures.length > 0) rethrow(failures[0]);
    return records.length;
  }
}

function rethrow(error: unknown): never {
  throw unwrapPineconeError(error);
}
