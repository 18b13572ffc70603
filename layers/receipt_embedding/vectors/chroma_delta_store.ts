import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createDelta } from '../deltas/delta.ts';
import { deltaPrefix } from '../entities/compaction_run.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { ConcurrentUpdate } from '../errors.ts';
import { CHROMA_FLOAT_FIELDS, chromaMetadata } from './chroma_metadata.ts';
import type { VectorCollection, VectorRecord, VectorStore } from './vector_store.ts';

export interface ChromaDeltaStoreSettings {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly dimensions: number;
  /** An existing folder to build deltas in; nothing is left there. */
  readonly temporaryFolder: string;
}

/** On whose behalf deltas are written. */
export interface VectorRun extends ReceiptIdentity {
  /** From the content: the same run has the same vectors. */
  readonly run_id: string;
}

const ATTEMPTS = 3;

/**
 * Writes the vectors of a run as ChromaDB deltas to S3 (docs/data_model.md §3), from where a compactor merges them. A run's
 * delta is written once: a second try finds it there and is content, since a run id stands for its content.
 */
export class ChromaDeltaStore implements VectorStore {
  readonly #settings: ChromaDeltaStoreSettings;

  readonly #run: VectorRun;

  constructor(settings: ChromaDeltaStoreSettings, run: VectorRun) {
    this.#settings = settings;
    this.#run = run;
  }

  async upsert(collection: VectorCollection, records: readonly VectorRecord[]): Promise<number> {
    const { dimensions, temporaryFolder } = this.#settings;
    const delta = await createDelta({
      collection,
      dimensions,
      floatFields: CHROMA_FLOAT_FIELDS,
      temporaryFolder,
      records: records.map(({ id, vector, metadata }) => ({
        id,
        vector,
        document: metadata.text,
        metadata: chromaMetadata(metadata),
      })),
    });
    await this.#putOnce(collection, delta);
    return records.length;
  }

  async #putOnce(collection: VectorCollection, delta: Buffer): Promise<void> {
    const run = this.#run;
    const prefix = deltaPrefix(collection, run.run_id);
    const command = new PutObjectCommand({
      Bucket: this.#settings.bucket,
      Key: `${prefix}delta.tar.gz`,
      Body: delta,
      ContentType: 'application/gzip',
      IfNoneMatch: '*',
      Metadata: {
        run_id: run.run_id,
        image_id: run.image_id,
        receipt_id: String(run.receipt_id),
        collection,
        delta_key: prefix,
      },
    });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        await this.#settings.s3.send(command);
        return;
      } catch (error) {
        const name = error instanceof Error ? error.name : '';
        if (name === 'PreconditionFailed') return;
        // Somebody writes the same key right now: the next try finds it there, or writes it.
        if (name !== 'ConditionalRequestConflict') throw error;
      }
    }
    throw new ConcurrentUpdate(
      `${prefix}delta.tar.gz was being written by others in each of ${ATTEMPTS} tries`,
    );
  }
}
