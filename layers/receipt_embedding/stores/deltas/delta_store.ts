import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { pack } from 'tar-stream';
import type { ReceiptIdentity } from '../../entities/keys.ts';
import { InvalidReceiptData } from '../../errors.ts';
import { deltaKey, deltaPrefix } from '../../object_keys.ts';
import { writeOnce } from '../../s3_objects.ts';
import type {
  LineMetadata,
  UpsertOutcome,
  VectorCollection,
  VectorMetadata,
  VectorRecord,
  VectorStore,
} from '../vector_store.ts';
import {
  buildDatabase,
  databaseFileName,
  type DeltaName,
  type DeltaRecord,
} from './delta_database.ts';

interface ChromaDeltaStoreSettings {
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

/**
 * Writes the vectors of a run as ChromaDB deltas to S3 (docs/data_model.md §3), from where a compactor merges them. A run's
 * delta is written once: a second try finds it and leaves it, since a run id stands for its content.
 */
export class ChromaDeltaStore implements Pick<VectorStore, 'upsert'> {
  readonly #settings: ChromaDeltaStoreSettings;

  readonly #run: VectorRun;

  constructor(settings: ChromaDeltaStoreSettings, run: VectorRun) {
    this.#settings = settings;
    this.#run = run;
  }

  /** A delta holds whatever is a record at all: none is refused. */
  async upsert(
    collection: VectorCollection,
    records: readonly VectorRecord[],
  ): Promise<UpsertOutcome> {
    const { s3, bucket, dimensions, temporaryFolder } = this.#settings;
    const { run_id, image_id, receipt_id } = this.#run;
    const delta = await createDelta({
      collection,
      runId: run_id,
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
    await writeOnce(
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
    return { stored: records.length, refused: [] };
  }
}

/** The fields that are floats, also where they are whole, as a line that is not turned at all has 0.0 degrees. */
export const CHROMA_FLOAT_FIELDS: ReadonlySet<string> = new Set<keyof LineMetadata>([
  'x',
  'y',
  'width',
  'height',
  'confidence',
  'angle_degrees',
  'avg_word_confidence',
]);

/**
 * Metadata in the form that Chroma's readers filter on: receipt_id a string, label lists `,A,B,` (so that
 * `,A,` finds a label whole) or `""`, an unknown merchant `""`.
 *
 * @example
 * ```ts
 * chromaMetadata({ receipt_id: 1, text: 'MILK', validated_labels: ['PRODUCT_NAME'], invalid_labels: [], … });
 * // { receipt_id: '1', merchant_name: '', text: 'MILK', validated_labels: ',PRODUCT_NAME,', invalid_labels: '', … }
 * ```
 */
export function chromaMetadata(metadata: VectorMetadata): Record<string, string | number> {
  const { receipt_id, merchant_name = '', ...rest } = metadata;
  const flat: Record<string, string | number> = { receipt_id: String(receipt_id), merchant_name };
  for (const [name, value] of Object.entries(rest) as [string, string | number | string[]][]) {
    flat[name] = Array.isArray(value) ? delimited(value) : value;
  }
  return flat;
}

function delimited(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `,${labels.join(',')},`;
}

interface DeltaContent extends DeltaName {
  /** The length of every vector. */
  readonly dimensions: number;
  /** May be empty: the delta then holds an empty collection. */
  readonly records: readonly DeltaRecord[];
  /**
   * Metadata fields whose numbers are floats to Chroma, also where they are whole.
   *
   * @default none: a whole number is an int
   */
  readonly floatFields?: ReadonlySet<string>;
  /** An existing folder to work in; nothing is left in it, whatever happens. */
  readonly temporaryFolder: string;
}

/**
 * A ChromaDB delta: the `delta.tar.gz` with a Chroma persistent directory at its root. Chroma 1.3.3 and
 * later open it as they open a directory of their own.
 *
 * The same run and records in the same order give the same bytes, on one version of Node (SQLite writes its
 * version into the file). A lone surrogate in a document or in metadata becomes U+FFFD, as in any UTF-8.
 *
 * @throws InvalidReceiptData for a record that Chroma could not hold, before anything is written.
 * @example
 * ```ts
 * await createDelta({
 *   collection: 'lines',
 *   runId: '0b7e3f3a-1111-4222-8333-444455556666',
 *   dimensions: 2,
 *   records: [{ id: 'a', vector: Float32Array.of(0.1, 0.2), document: 'MILK', metadata: { receipt_id: '1' } }],
 *   temporaryFolder: tmpdir(),
 * });
 * ```
 */
export async function createDelta(content: DeltaContent): Promise<Buffer> {
  const { dimensions, records, floatFields = new Set(), temporaryFolder } = content;
  checkRecords(records, dimensions);
  return await packDelta(
    await buildDatabase(content, dimensions, records, floatFields, temporaryFolder),
  );
}

/** @throws InvalidReceiptData for the first record that Chroma would refuse, or would return altered. */
function checkRecords(records: readonly DeltaRecord[], dimensions: number): void {
  if (!Number.isSafeInteger(dimensions) || dimensions < 1) {
    throw new InvalidReceiptData(`dimensions must be a whole number from 1, not ${dimensions}`);
  }
  const seen = new Set<string>();
  records.forEach((record, index) => {
    const { id } = record;
    if (id === '') throw new InvalidReceiptData(`record number ${index} has an empty id`);
    const name = `record ${JSON.stringify(id)}`;
    // SQLite stores UTF-8, which has no lone surrogates: two such ids could become one.
    if (!id.isWellFormed()) throw new InvalidReceiptData(`${name}: the id is not valid Unicode`);
    if (seen.has(id)) throw new InvalidReceiptData(`${name}: the id occurs more than once`);
    seen.add(id);
    checkVector(name, record.vector, dimensions);
    checkMetadata(name, record.metadata);
  });
}

function checkVector(name: string, vector: Float32Array, dimensions: number): void {
  if (vector.length !== dimensions) {
    throw new InvalidReceiptData(
      `${name}: its vector has ${vector.length} dimensions, not ${dimensions}`,
    );
  }
  const index = vector.findIndex((component) => !Number.isFinite(component));
  if (index >= 0)
    throw new InvalidReceiptData(`${name}: component ${index} of its vector is not finite`);
}

function checkMetadata(name: string, metadata: DeltaRecord['metadata']): void {
  for (const [field, value] of Object.entries(metadata)) {
    if (field.startsWith('chroma:')) {
      throw new InvalidReceiptData(
        `${name}: the metadata field ${JSON.stringify(field)} is Chroma's own`,
      );
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new InvalidReceiptData(
        `${name}: the metadata field ${JSON.stringify(field)} is not a finite number`,
      );
    }
  }
}

// Vectors are nearly incompressible: a higher level takes several times as long for a few per cent.
const gzipLevel = 1;

/** The `delta.tar.gz`: the database alone, at the root. Equal databases give equal archives. */
export async function packDelta(database: Buffer): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: databaseFileName, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, database);
  tar.finalize();
  return await promisify(gzip)(await buffer(tar), { level: gzipLevel });
}
