import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { InvalidReceiptData } from '../../errors.ts';
import { chromaTemplate } from './chroma_template.ts';
import { databaseFileName } from './delta_store.ts';
import { inTemporaryFolder } from './read_delta.ts';

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
 * What Chroma 1.0 stores for a collection without an embedding function, but for the number of
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
 * @param records checked already, see checkRecords.
 * @param floatFields metadata fields whose numbers are floats, also where they are whole.
 */
export function buildDatabase(
  collection: CollectionName,
  dimensions: number,
  records: readonly DeltaRecord[],
  floatFields: ReadonlySet<string>,
  temporaryFolder: string,
): Buffer {
  return inTemporaryFolder(temporaryFolder, (folder) => {
    const path = join(folder, databaseFileName);
    writeFileSync(path, gunzipSync(Buffer.from(chromaTemplate, 'base64')));
    // Chroma's table `segments` refers to a table that does not exist; Chroma does not enforce it either.
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    try {
      // A write that fails leaves a file that is thrown away: nothing to roll back, nothing to sync.
      database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
      // Chroma learns a collection's dimension from its first vector; until then it has none.
      insertCollection(database, collection, records.length === 0 ? null : dimensions);
      insertRecords(database, collection, records, floatFields);
      database.exec('COMMIT');
    } finally {
      database.close();
    }
    return readFileSync(path);
  });
}

function insertCollection(
  database: DatabaseSync,
  name: CollectionName,
  dimension: number | null,
): void {
  const { collection, vectorSegment, metadataSegment } = collectionIdentity(name);
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
  name: CollectionName,
  records: readonly DeltaRecord[],
  floatFields: ReadonlySet<string>,
): void {
  const topic = `persistent://default/default/${collectionIdentity(name).collection}`;
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

/** In V8 for long; TypeScript's library does not know it yet. */
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };

/** A `JSON.stringify` replacer. */
function chromaReplacer(
  floatFields: ReadonlySet<string>,
): (field: string, value: unknown) => unknown {
  return (field, value) => {
    // Chroma's JSON reader refuses a lone surrogate, and with it every record of the delta.
    if (typeof value === 'string') return value.toWellFormed();
    // `1` would be an int to Chroma, and its filter on a float finds ints that are equal but for their fraction.
    return floatFields.has(field) && Number.isSafeInteger(value)
      ? rawJSON(`${String(value)}.0`)
      : value;
  };
}

/** The two collections that receipts are embedded into; each delta holds exactly one. */
export type CollectionName = 'lines' | 'words';

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

/** @throws InvalidReceiptData for the first record that Chroma would refuse, or would take and give back altered. */
export function checkRecords(records: readonly DeltaRecord[], dimensions: number): void {
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

/** The UUIDs under which a delta's one collection and its two segments are stored. */
export interface CollectionIdentity {
  readonly collection: string;
  readonly vectorSegment: string;
  readonly metadataSegment: string;
}

/** The same for every delta of a collection: a delta's bytes depend on its records alone. */
export function collectionIdentity(name: CollectionName): CollectionIdentity {
  return {
    collection: uuidOf(`receipt-embedding/${name}`),
    vectorSegment: uuidOf(`receipt-embedding/${name}/vector`),
    metadataSegment: uuidOf(`receipt-embedding/${name}/metadata`),
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
