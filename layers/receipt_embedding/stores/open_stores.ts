import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { mapSettled } from '../settled_map.ts';
import { CHROMA } from './chroma/declaration.ts';
import { PINECONE } from './pinecone/declaration.ts';
import { S3_VECTORS } from './s3_vectors/declaration.ts';
import type { StoreSettings } from './store_settings.ts';
import type { StoreDeclaration, StoreName, VectorStore } from './vector_store.ts';

/** What a store's module gives. */
interface StoreModule {
  /** @throws InvalidConfiguration for settings that can't be right. Nothing is asked of the store yet. */
  openStore(settings: StoreSettings): VectorStore;
}

/**
 * Every store: what its functions need, and its module. Nothing here loads a client: a deployment reads it as data, and a function
 * loads the stores that it opens.
 */
export const STORES = {
  s3_vectors: { ...S3_VECTORS, load: () => import('./s3_vectors/s3_vectors_store.ts') },
  pinecone: { ...PINECONE, load: () => import('./pinecone/pinecone_store.ts') },
  chroma: { ...CHROMA, load: () => import('./chroma/chroma_store.ts') },
} as const satisfies Readonly<
  Record<StoreName, StoreDeclaration & { load: () => Promise<StoreModule> }>
>;

/** What stores are opened with. */
export interface StoreSources {
  /** A function's environment; what belongs to other stores is not looked at. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** Whose vectors they hold. */
  readonly model: EmbeddingModel;
  /** The key of a store that has one; asked only for the stores that are opened. */
  readonly secretOf: (store: StoreName) => Promise<string | undefined>;
}

/**
 * Opens stores, in the order of their names. No request is made to them yet.
 *
 * @throws InvalidConfiguration where a store is listed and what it needs is not set; what `secretOf` throws.
 * @example
 * ```ts
 * const [store] = await openStores(['s3_vectors'], { environment, model, secretOf: () => Promise.resolve(undefined) });
 * ```
 */
export async function openStores(
  names: readonly StoreName[],
  { environment, model, secretOf }: StoreSources,
): Promise<VectorStore[]> {
  return await mapSettled(
    names,
    async (name) => {
      const store: StoreDeclaration = STORES[name];
      const { openStore } = await STORES[name].load();
      const secret = store.secret === undefined ? undefined : await secretOf(name);
      return openStore({ environment, model, secret });
    },
    { atOnce: names.length },
  );
}
