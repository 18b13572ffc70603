import type { VectorMetadata } from './vector_metadata.ts';

/** The two collections of every store. */
export type VectorCollection = 'lines' | 'words';

export interface VectorRecord {
  /** The entity's key in one string (docs/data_model.md §2). */
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata: VectorMetadata;
}

/** Where vectors go. Writing the same records again changes nothing. */
export interface VectorStore {
  /** @returns the number of vectors that are there now, which is all of them. */
  upsert(collection: VectorCollection, records: readonly VectorRecord[]): Promise<number>;
}
