import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { withTemporaryFolder } from '../local_files.ts';
import { printedFloat } from '../stores/chroma_metadata.ts';
import type { VectorCollection } from '../stores/vector_store.ts';
import { chromaTemplate } from './chroma_template.ts';

/**
 * One vector with what belongs to it, as the consumer of a delta gets it from Chroma.
 *
 * Numbers: JSON has one kind of number and Chroma two. A whole number arrives as an int, unless its field
 * is one of the delta's `floatFields`; any other arrives as a float. That matters to readers: Chroma 1.0's filter
 * `{confidence: 0.658}` finds an int 0 too, because it compares ints with the filter's whole part. A -0 arrives
 * as 0.
 */
export interface DeltaRecord {
  /** Unique in its delta, not empty. */
  readonly id: string;
  /** As long as the delta's `dimensions`, every component finite. */
  readonly vector: Float32Array;
  readonly document: string;
  /** Numbers are finite; keys that begin with `chroma:` are Chroma's own. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

/** The one file of a Chroma persistent directory that Chroma can't rebuild from another. */
export const databaseFileName = 'chroma.sqlite3';

/** Under this key of a record's metadata Chroma keeps its document. */
export const documentKey = 'chroma:document';

/** How a row of `embeddings_queue` says that its vector is little-endian float32. */
export const vectorEncoding = 'FLOAT32';

const operationUpsert = 2;

// The row of `databases` that Chroma itself puts into every new directory.
const defaultDatabase = '00000000-0000-0000-0000-000000000000';

// Chroma stores when a row was queued, and never reads it back.
const createdAt = '1970-01-01 00:00:00';

/**
 * What Chroma stores for a collection without an embedding function, except the number of
 * threads, which it takes from the machine; newer versions derive their schema from it. Without a
 * stored function a consumer may open the collection with any, or none.
 */
const collectionConfiguration = {
  vector_index: {
    hnsw: {
      space: 'l2',
      ef_construction: 100,
      ef_search: 100,
      max_neighbors: 16,
      resize_factor: 1.2,
      sync_threshold: 1000,
      batch_size: 100,
    },
  },
  embedding_function: null,
};

/**
 * The bytes of a `chroma.sqlite3` whose one collection holds the records. They wait in Chroma's
 * queue: Chroma reads it when it opens the database, and builds its index and its tables from it.
 *
 * In a file, not in memory: `DatabaseSync.serialize` is new in Node 24.16, and which 24 a Lambda runs
 * on is AWS's choice. The file costs about a millisecond more.
 *
 * @param records checked already, as createDelta does.
 * @param floatFields metadata fields whose numbers are floats, also where they are whole.
 */
export async function buildDatabase(
  { collection, runId }: DeltaName,
  dimensions: number,
  records: readonly DeltaRecord[],
  floatFields: ReadonlySet<string>,
  temporaryFolder: string,
): Promise<Buffer> {
  return await withTemporaryFolder(temporaryFolder, (folder) => {
    const path = join(folder, databaseFileName);
    writeFileSync(path, gunzipSync(Buffer.from(chromaTemplate, 'base64')));
    // Chroma's table `segments` refers to a table that does not exist; Chroma does not enforce it either.
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    try {
      // A write that fails leaves a file that is thrown away: nothing to roll back, nothing to sync.
      database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
      // Chroma learns a collection's dimension from its first vector; until then it has none.
      const identity = collectionIdentity({ collection, runId });
      insertCollection(database, collection, identity, records.length === 0 ? null : dimensions);
      insertRecords(database, identity, records, floatFields);
      database.exec('COMMIT');
    } finally {
      database.close();
    }
    return readFileSync(path);
  });
}

function insertCollection(
  database: DatabaseSync,
  name: VectorCollection,
  { collection, vectorSegment, metadataSegment }: CollectionIdentity,
  dimension: number | null,
): void {
  database
    .prepare(
      'INSERT INTO collections (id, name, dimension, database_id, config_json_str) VALUES (?, ?, ?, ?, ?)',
    )
    .run(collection, name, dimension, defaultDatabase, JSON.stringify(collectionConfiguration));
  const segment = database.prepare(
    'INSERT INTO segments (id, type, scope, collection) VALUES (?, ?, ?, ?)',
  );
  segment.run(
    vectorSegment,
    'urn:chroma:segment/vector/hnsw-local-persisted',
    'VECTOR',
    collection,
  );
  segment.run(metadataSegment, 'urn:chroma:segment/metadata/sqlite', 'METADATA', collection);
}

function insertRecords(
  database: DatabaseSync,
  { collection }: CollectionIdentity,
  records: readonly DeltaRecord[],
  floatFields: ReadonlySet<string>,
): void {
  const topic = `persistent://default/default/${collection}`;
  const asChromaReads = chromaReplacer(floatFields);
  const insert = database.prepare(
    'INSERT INTO embeddings_queue (created_at, operation, topic, id, vector, encoding, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  for (const { id, vector, document, metadata } of records) {
    insert.run(
      createdAt,
      operationUpsert,
      topic,
      id,
      // Every platform that Lambda or Chroma runs on is little-endian.
      new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
      vectorEncoding,
      JSON.stringify({ ...metadata, [documentKey]: document }, asChromaReads),
    );
  }
}

/** A `JSON.stringify` replacer. */
function chromaReplacer(
  floatFields: ReadonlySet<string>,
): (field: string, value: unknown) => unknown {
  return (field, value) => {
    // Chroma's JSON reader refuses a lone surrogate, and with it every record of the delta.
    if (typeof value === 'string') return value.toWellFormed();
    return floatFields.has(field) && typeof value === 'number' ? printedFloat(value) : value;
  };
}

/** The UUIDs under which a delta's one collection and its two segments are stored. */
interface CollectionIdentity {
  readonly collection: string;
  readonly vectorSegment: string;
  readonly metadataSegment: string;
}

/** Which delta it is. */
export interface DeltaName {
  /** The name of its one collection. */
  readonly collection: VectorCollection;
  readonly runId: string;
}

/**
 * Of its own for every delta: the clients of one process share what they know of a collection by its id, so a compactor
 * that reads several deltas one after the other finds those empty whose ids it has seen before. They come from the run and the
 * collection alone, so that the same delta has the same bytes.
 */
export function collectionIdentity({ collection, runId }: DeltaName): CollectionIdentity {
  const name = `receipt-embedding/${collection}/${runId}`;
  return {
    collection: uuidOf(name),
    vectorSegment: uuidOf(`${name}/vector`),
    metadataSegment: uuidOf(`${name}/metadata`),
  };
}

/** The first 122 bits of the name's SHA-256, in the shape of a version-4 UUID (RFC 9562 §5.4). */
function uuidOf(name: string): string {
  const hash = createHash('sha256').update(name).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x40, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}
