import { Pinecone } from '@pinecone-database/pinecone';
import { InvalidConfiguration } from '../errors.ts';
import {
  createPineconeFetch,
  systemFetchPorts,
  type PineconeFetchPorts,
} from './pinecone_fetch.ts';
import { PineconeStore, type UpsertIndex } from './pinecone_store.ts';

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
