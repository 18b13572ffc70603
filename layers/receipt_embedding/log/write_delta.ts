import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { InvalidReceiptData } from '../errors.ts';
import {
  buildDatabase,
  databaseFileName,
  type DeltaName,
  type DeltaRecord,
} from './delta_database.ts';

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
  /** What lies beside the database: Chroma and whoever reads with it never look at it. @default nothing */
  readonly notes?: string;
}

/** The file beside the database. */
export const notesFileName = 'inputs.json';

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
  const { dimensions, records, floatFields = new Set(), temporaryFolder, notes } = content;
  checkRecords(records, dimensions);
  return await packDelta(
    await buildDatabase(content, dimensions, records, floatFields, temporaryFolder),
    notes,
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

/** The `delta.tar.gz`: the database, and the notes beside it, at the root. Equal contents give equal archives. */
export async function packDelta(database: Buffer, notes?: string): Promise<Buffer> {
  const tar = pack();
  const file = { mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 };
  if (notes !== undefined) tar.entry({ ...file, name: notesFileName }, notes);
  tar.entry({ ...file, name: databaseFileName }, database);
  tar.finalize();
  return await promisify(gzip)(await buffer(tar), { level: gzipLevel });
}
