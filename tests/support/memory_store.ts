import { matches } from 'receipt-embedding/stores/filter';
import type {
  QueryAnswer,
  StoredVector,
  StoreName,
  VectorCollection,
  VectorQuery,
  VectorStore,
} from 'receipt-embedding/stores/vector_store';

/** A vector store in memory: exact search, with the filters as the port means them; it keeps what it was asked. */
export class MemoryStore implements Pick<
  VectorStore,
  'name' | 'identity' | 'query' | 'fetch' | 'remove'
> {
  readonly name: StoreName;
  /** k of each query. */
  readonly asked: number[] = [];
  readonly #vectors = {
    lines: new Map<string, StoredVector>(),
    words: new Map<string, StoredVector>(),
  };

  constructor(name: StoreName = 's3_vectors') {
    this.name = name;
  }

  add(collection: VectorCollection, ...vectors: readonly StoredVector[]): this {
    for (const vector of vectors) this.#vectors[collection].set(vector.id, vector);
    return this;
  }

  identity(): Promise<string> {
    return Promise.resolve(`the ${this.name} of this test`);
  }

  remove(collection: VectorCollection, ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#vectors[collection].delete(id);
    return Promise.resolve();
  }

  query(
    collection: VectorCollection,
    { vector, k, filter = [] }: VectorQuery,
  ): Promise<QueryAnswer> {
    this.asked.push(k);
    if (k < 1 || k > 300) throw new RangeError(`no store is asked for ${k} vectors`);
    const hits = [...this.#vectors[collection].values()]
      .filter(({ metadata }) => matches(metadata, filter))
      .map(({ id, vector: own, metadata }) => ({ id, score: cosine(vector, own), metadata }))
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
    return Promise.resolve({ hits: hits.slice(0, k), complete: true });
  }

  fetch(collection: VectorCollection, ids: readonly string[]): Promise<StoredVector[]> {
    return Promise.resolve(ids.flatMap((id) => this.#vectors[collection].get(id) ?? []));
  }
}

export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}
