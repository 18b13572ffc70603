import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { extract, pack } from 'tar-stream';
import type { ReceiptIdentity } from '../../entities/keys.ts';
import { ConcurrentUpdate, InvalidReceiptData } from '../../errors.ts';
import { deltaKey, deltaPrefix } from '../../object_keys.ts';
import type {
  LineMetadata,
  VectorCollection,
  VectorMetadata,
  VectorRecord,
  VectorStore,
} from '../vector_store.ts';
import {
  buildDatabase,
  checkRecords,
  type CollectionName,
  type DeltaRecord,
} from './delta_database.ts';

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
      Key: deltaKey(collection, run.run_id),
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

export interface DeltaContent {
  /** The name of the delta's one collection. */
  readonly collection: CollectionName;
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
 * A ChromaDB delta: the `delta.tar.gz` with a Chroma persistent directory at its root. Chroma 1.0.5 and
 * later open it as they open a directory of their own.
 *
 * The same records in the same order give the same bytes, on one version of Node (SQLite writes its
 * version into the file). A lone surrogate in a document or in metadata becomes U+FFFD, as in any UTF-8.
 *
 * @throws InvalidReceiptData for a record that Chroma could not hold, before anything is written.
 */
export async function createDelta(content: DeltaContent): Promise<Buffer> {
  const { collection, dimensions, records, floatFields = new Set(), temporaryFolder } = content;
  checkRecords(records, dimensions);
  return await packDelta(
    buildDatabase(collection, dimensions, records, floatFields, temporaryFolder),
  );
}

/** The one file of a Chroma persistent directory that Chroma can't rebuild from another. */
export const databaseFileName = 'chroma.sqlite3';

// Vectors are nearly incompressible: a higher level takes several times as long for a few per cent.
const gzipLevel = 1;

/** The `delta.tar.gz`: the database alone, at the root. Equal databases give equal archives. */
export async function packDelta(database: Buffer): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: databaseFileName, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, database);
  tar.finalize();
  return await promisify(gzip)(await buffer(tar), { level: gzipLevel });
}

/**
 * The database in a `delta.tar.gz`; other files of a Chroma directory beside it are ignored.
 *
 * @throws InvalidReceiptData when the archive holds no database at its root, or is no tar.gz.
 */
export async function unpackDelta(archive: Buffer): Promise<Buffer> {
  try {
    const tar = extract();
    tar.end(await promisify(gunzip)(archive));
    let database: Buffer | undefined;
    for await (const entry of tar) {
      const content = await buffer(entry);
      // `tar -C folder .` writes names with a leading `./`.
      if (entry.header.name.replace(/^\.\//, '') === databaseFileName) database = content;
    }
    if (database !== undefined) return database;
  } catch (cause) {
    throw new InvalidReceiptData('the archive is no readable tar.gz', { cause });
  }
  throw new InvalidReceiptData(`the archive has no ${databaseFileName} at its root`);
}
