import type { ReceiptIdentity } from '../entities/keys.ts';
import type { VectorMetadata } from './vector_metadata.ts';

/** The two collections of every store. */
export type VectorCollection = 'lines' | 'words';

export interface VectorRecord {
  /** The entity's key in one string (docs/data_model.md §2). */
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata: VectorMetadata;
}

/** On whose behalf vectors are written. */
export interface VectorRun extends ReceiptIdentity {
  /** From the content: the same run has the same vectors. */
  readonly run_id: string;
}

/** Where vectors go. Writing the same records for the same run again changes nothing. */
export interface VectorStore {
  upsert(
    collection: VectorCollection,
    records: readonly VectorRecord[],
    run: VectorRun,
  ): Promise<void>;
}
