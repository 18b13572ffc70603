import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { InvalidReceiptData } from '../errors.ts';
import { parseJson } from '../local_files.ts';
import { deltaKey, deltaPrefix } from '../object_keys.ts';
import { openObject, writeOnce } from '../s3_objects.ts';
import { CHROMA_FLOAT_FIELDS, chromaMetadata, storedMetadata } from '../stores/chroma_metadata.ts';
import type { VectorCollection, VectorMetadata, VectorRecord } from '../stores/vector_store.ts';
import type { DeltaRecord } from './delta_database.ts';
import { readDelta } from './read_delta.ts';
import { createDelta } from './write_delta.ts';

interface VectorLogSettings {
  readonly s3: S3Client;
  readonly bucket: string;
  /** An existing folder to work in; nothing is left there. */
  readonly temporaryFolder: string;
}

/** On whose behalf deltas are written. */
export interface VectorRun extends ReceiptIdentity {
  /** From the content: the same run has the same vectors. */
  readonly run_id: string;
}

/** A vector as it was bought, with what it was bought for. */
export interface LoggedVector extends VectorRecord {
  /** Of the whole input (@see inputHash): metadata may abbreviate it. Undefined where nobody knows it any more. */
  readonly input_hash: string | undefined;
}

/** A line or word that OpenAI refused when the run was made. */
export interface RefusedInput {
  readonly id: string;
  readonly input_hash: string | undefined;
  /** In our own words. */
  readonly reason: string;
}

/** What one delta holds. */
export interface LoggedContent {
  readonly vectors: readonly LoggedVector[];
  readonly refused: readonly RefusedInput[];
}

const notesSchema = z.object({
  inputs: z.record(z.string(), z.string()),
  refused: z.array(
    z.object({ id: z.string(), input_hash: z.string().optional(), reason: z.string() }),
  ),
});

/**
 * The log: everything that was bought at OpenAI, as ChromaDB deltas in S3 (docs/data_model.md §3), from where a compactor may merge
 * them, and each store can be filled again. The hashes of the inputs lie beside a delta's database, where no reader of Chroma's looks.
 *
 * @example
 * ```ts
 * const log = new VectorLog({ s3, bucket, temporaryFolder: tmpdir() });
 * await log.write({ run_id, image_id, receipt_id: 1 }, 'lines', 1_536, { vectors, refused: [] }); // true
 * await log.read(run_id, 'lines'); // { vectors, refused: [] }
 * ```
 */
export class VectorLog {
  readonly #settings: VectorLogSettings;

  constructor(settings: VectorLogSettings) {
    this.#settings = settings;
  }

  /**
   * Writes the delta of a run and collection, once.
   *
   * @param dimensions the length of every vector.
   * @returns false when there is one already: that one counts.
   */
  async write(
    { run_id, image_id, receipt_id }: VectorRun,
    collection: VectorCollection,
    dimensions: number,
    { vectors, refused }: LoggedContent,
  ): Promise<boolean> {
    const { s3, bucket, temporaryFolder } = this.#settings;
    const inputs = vectors.flatMap(({ id, input_hash: hash }) =>
      hash === undefined ? [] : [[id, hash] as const],
    );
    const delta = await createDelta({
      collection,
      runId: run_id,
      dimensions,
      floatFields: CHROMA_FLOAT_FIELDS,
      temporaryFolder,
      notes: JSON.stringify({ inputs: Object.fromEntries(inputs), refused }),
      records: vectors.map(({ id, vector, metadata }) => ({
        id,
        vector,
        document: metadata.text,
        metadata: chromaMetadata(metadata),
      })),
    });
    return await writeOnce(
      s3,
      { bucket, key: deltaKey(collection, run_id) },
      {
        Body: delta,
        ContentType: 'application/gzip',
        Metadata: {
          run_id,
          image_id,
          receipt_id: String(receipt_id),
          collection,
          delta_key: deltaPrefix(collection, run_id),
        },
      },
    );
  }

  /**
   * Reads the delta of a run and collection.
   *
   * @returns undefined when there is none.
   * @throws InvalidReceiptData when it is not in the log's format; UpstreamUnavailable when the answer breaks off.
   */
  async read(runId: string, collection: VectorCollection): Promise<LoggedContent | undefined> {
    const { s3, bucket, temporaryFolder } = this.#settings;
    const key = deltaKey(collection, runId);
    const archive = await openObject(s3, { bucket, key });
    if (archive === undefined) return undefined;
    const read: VectorRecord[] = [];
    const { notes } = await readDelta(archive, temporaryFolder, ({ id, vector, metadata }) => {
      read.push({ id, vector, metadata: loggedMetadata(metadata) });
    });
    // A delta of before the log had notes has vectors all the same; what they were bought for is not known.
    const parsed = notesSchema.safeParse(
      notes === undefined ? { inputs: {}, refused: [] } : parseJson(notes),
    );
    if (!parsed.success) {
      throw new InvalidReceiptData(`s3://${bucket}/${key} has notes that are not in their format`);
    }
    const { inputs, refused } = parsed.data;
    return {
      vectors: read.map((record) => ({ ...record, input_hash: inputs[record.id] })),
      refused: refused.map((one) => ({ ...one, input_hash: one.input_hash })),
    };
  }
}

/** Written by this class, from metadata of exactly this form. A list without labels is `""` in a delta, and a list here. */
function loggedMetadata(metadata: DeltaRecord['metadata']): VectorMetadata {
  const lists =
    metadata['embedding_type'] === 'word' ? { validated_labels: [], invalid_labels: [] } : {};
  return { ...lists, ...storedMetadata(metadata, null) } as unknown as VectorMetadata;
}
