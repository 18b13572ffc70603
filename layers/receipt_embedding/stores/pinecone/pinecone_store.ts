import { type Index, Pinecone, type RecordMetadata } from '@pinecone-database/pinecone';
import pMap from 'p-map';
import { InvalidConfiguration } from '../../errors.ts';
import type {
  VectorCollection,
  VectorMetadata,
  VectorRecord,
  VectorStore,
} from '../vector_store.ts';
import { type PackedUpsert, packUpserts } from './pinecone_packing.ts';
import {
  createPineconeFetch,
  type PineconeFetchPorts,
  systemFetchPorts,
  unwrapPineconeError,
} from './pinecone_requests.ts';

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

/**
 * Metadata in the form that Pinecone's readers filter on (docs/data_model.md §2): receipt_id a number, label lists as
 * lists of strings. What nobody knows is left out, an empty list and an unknown merchant too: Pinecone takes no null.
 */
export function pineconeMetadata(metadata: VectorMetadata): RecordMetadata {
  const known: RecordMetadata = {};
  for (const [name, value] of Object.entries(metadata) as [
    string,
    string | number | readonly string[] | undefined,
  ][]) {
    if (value === undefined || (name === 'merchant_name' && value === '')) continue;
    if (typeof value === 'string' || typeof value === 'number') known[name] = value;
    else if (value.length > 0) known[name] = [...value];
  }
  return known;
}

export interface PineconeStoreOptions {
  readonly apiKey: string;
  readonly indexName: string;
  /** The index's own host, with or without `https://`. @default Pinecone is asked for it by the index's name, once */
  readonly host: string | undefined;
  /** Where Pinecone is asked for the host. @default Pinecone's own */
  readonly controllerUrl?: string;
  /** @default the system's */
  readonly ports?: Partial<PineconeFetchPorts>;
}

/** @throws InvalidConfiguration when the host is no host, or the key can't be a key. */
export function createPineconeStore(options: PineconeStoreOptions): PineconeStore {
  const { apiKey, indexName: name, controllerUrl } = options;
  // No request could carry it, and the error about that would quote it.
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new InvalidConfiguration("Pinecone's API key is empty or holds a space or a line break");
  }
  const client = new Pinecone({
    apiKey,
    ...(controllerUrl === undefined ? {} : { controllerHostUrl: controllerUrl }),
    fetchApi: createPineconeFetch({ ...systemFetchPorts, ...options.ports }),
    maxRetries: 0,
  });
  if (options.host !== undefined) {
    const index = Promise.resolve(client.index({ name, host: urlOf(options.host) }));
    return new PineconeStore(() => index);
  }
  let found: Promise<UpsertIndex> | undefined;
  return new PineconeStore(() => {
    found ??= lookUp(client, name).catch((error: unknown) => {
      // A look-up that failed is made again by the next upsert.
      found = undefined;
      throw error;
    });
    return found;
  });
}

/** The client would look the host up by itself, and keep it for the whole process under key and name alone. */
async function lookUp(client: Pinecone, name: string): Promise<UpsertIndex> {
  const { host, privateHost } = await client.indexes.describe(name);
  return client.index({ name, host: urlOf(privateHost ?? host) });
}

function urlOf(host: string): string {
  const url = /^https?:\/\//.test(host) ? host : `https://${host}`;
  if (!URL.canParse(url)) {
    throw new InvalidConfiguration("the host of Pinecone's index is no URL");
  }
  return url.replace(/\/+$/, '');
}
