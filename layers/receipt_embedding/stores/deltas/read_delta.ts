import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { InvalidReceiptData } from '../../errors.ts';
import { parseJson, withTemporaryFolder } from '../../local_files.ts';
import type { VectorCollection } from '../vector_store.ts';
import {
  databaseFileName,
  type DeltaRecord,
  documentKey,
  vectorEncoding,
} from './delta_database.ts';

interface OpenedDelta {
  readonly collection: VectorCollection;
  /** In the order in which they were written. */
  readonly records: DeltaRecord[];
}

/**
 * Reads back a delta that createDelta made. It reads Chroma's queue alone, not the index and the
 * tables that Chroma makes of it.
 *
 * @param temporaryFolder an existing folder to work in; nothing is left in it, whatever happens.
 * @throws InvalidReceiptData for an archive that is no such delta.
 * @example
 * ```ts
 * await openDelta(archive, tmpdir());
 * // { collection: 'lines', records: [{ id: 'IMAGE#3f52…#RECEIPT#00001#LINE#00001', vector, document: 'MILK', metadata }] }
 * ```
 */
export async function openDelta(archive: Buffer, temporaryFolder: string): Promise<OpenedDelta> {
  const bytes = await unpackDelta(archive);
  return await withTemporaryFolder(temporaryFolder, (folder) => {
    const path = join(folder, databaseFileName);
    writeFileSync(path, bytes);
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return {
        collection: collectionOf(rowsOf(database, 'SELECT name FROM collections')),
        records: rowsOf(
          database,
          'SELECT id, vector, encoding, metadata FROM embeddings_queue ORDER BY seq_id',
        ).map(recordOf),
      };
    } finally {
      database.close();
    }
  });
}

type Row = Record<string, SQLOutputValue>;

function rowsOf(database: DatabaseSync, query: string): Row[] {
  try {
    return database.prepare(query).all();
  } catch {
    throw new InvalidReceiptData(`${databaseFileName} is no database of Chroma's`);
  }
}

function collectionOf(rows: Row[]): VectorCollection {
  const name = rows[0]?.['name'];
  if (rows.length !== 1 || (name !== 'lines' && name !== 'words')) {
    throw new InvalidReceiptData('the delta has not exactly one collection, lines or words');
  }
  return name;
}

function recordOf({ id, vector, encoding, metadata }: Row): DeltaRecord {
  if (
    typeof id !== 'string' ||
    !(vector instanceof Uint8Array) ||
    vector.length % Float32Array.BYTES_PER_ELEMENT !== 0 ||
    encoding !== vectorEncoding ||
    typeof metadata !== 'string'
  ) {
    throw unreadable(id);
  }
  const fields = parseJson(metadata) as Record<string, string> | undefined;
  // parseJson's caller gets no cause: a SyntaxError quotes the text that it failed on.
  if (fields === undefined) throw unreadable(id);
  const { [documentKey]: document = '', ...rest } = fields;
  // A copy, because the bytes may begin where no float32 may.
  return { id, vector: new Float32Array(vector.slice().buffer), document, metadata: rest };
}

function unreadable(id: SQLOutputValue | undefined): InvalidReceiptData {
  const name = typeof id === 'string' ? JSON.stringify(id) : 'without an id';
  return new InvalidReceiptData(`record ${name} was not written by createDelta`);
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
  } catch {
    throw new InvalidReceiptData('the archive is no readable tar.gz');
  }
  throw new InvalidReceiptData(`the archive has no ${databaseFileName} at its root`);
}
