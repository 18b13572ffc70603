import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { InvalidReceiptData } from '../errors.ts';
import { parseJson, withTemporaryFolder } from '../local_files.ts';
import type { VectorCollection } from '../stores/vector_store.ts';
import {
  databaseFileName,
  type DeltaRecord,
  documentKey,
  vectorEncoding,
} from './delta_database.ts';
import { notesFileName } from './write_delta.ts';

interface OpenedDelta {
  readonly collection: VectorCollection;
  /** In the order in which they were written. */
  readonly records: DeltaRecord[];
}

/**
 * Reads back a delta that createDelta made, whole. @see readDelta
 *
 * @example
 * ```ts
 * await openDelta(archive, tmpdir());
 * // { collection: 'lines', records: [{ id: 'IMAGE#3f52…#RECEIPT#00001#LINE#00001', vector, document: 'MILK', metadata }] }
 * ```
 */
export async function openDelta(archive: Buffer, temporaryFolder: string): Promise<OpenedDelta> {
  const records: DeltaRecord[] = [];
  const { collection } = await readDelta(Readable.from([archive]), temporaryFolder, (record) => {
    records.push(record);
  });
  return { collection, records };
}

/**
 * Reads back a delta that createDelta made, one record after the other: an archive of any size lies on disk, not in memory. It reads
 * Chroma's queue alone, not the index and the tables that Chroma makes of it.
 *
 * @param temporaryFolder an existing folder to work in; nothing is left in it, whatever happens.
 * @param take gets each record, in the order in which they were written.
 * @returns what lay beside the database, too.
 * @throws InvalidReceiptData for an archive that is no such delta; what the stream fails with.
 */
export async function readDelta(
  archive: Readable,
  temporaryFolder: string,
  take: (record: DeltaRecord) => void,
): Promise<{ readonly collection: VectorCollection; readonly notes: string | undefined }> {
  return await withTemporaryFolder(temporaryFolder, async (folder) => {
    const path = join(folder, databaseFileName);
    const notes = await unpack(archive, path);
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const collection = collectionOf(rowsOf(database, 'SELECT name FROM collections'));
      const queue = 'SELECT id, vector, encoding, metadata FROM embeddings_queue ORDER BY seq_id';
      for (const row of rowsOf(database, queue)) take(recordOf(row));
      return { collection, notes };
    } finally {
      database.close();
    }
  });
}

type Row = Record<string, SQLOutputValue>;

function* rowsOf(database: DatabaseSync, query: string): Generator<Row> {
  try {
    yield* database.prepare(query).iterate();
  } catch (error) {
    if (error instanceof InvalidReceiptData) throw error;
    throw new InvalidReceiptData(`${databaseFileName} is no database of Chroma's`);
  }
}

function collectionOf(found: Iterable<Row>): VectorCollection {
  const rows = [...found];
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
 * Unpacks the database to `path`; other files of a Chroma directory beside it are ignored.
 *
 * @returns the notes beside it.
 * @throws InvalidReceiptData when the archive holds no database at its root, or is no tar.gz.
 */
async function unpack(archive: Readable, path: string): Promise<string | undefined> {
  let notes: string | undefined;
  let found = false;
  let broken: unknown;
  archive.once('error', (error) => {
    broken = error;
  });
  const tar = extract();
  const unpacking = pipeline(archive, createGunzip(), tar);
  // Told by what reading the entries fails with, too.
  unpacking.catch(() => undefined);
  try {
    for await (const entry of tar) {
      // `tar -C folder .` writes names with a leading `./`.
      const name = entry.header.name.replace(/^\.\//, '');
      if (name === databaseFileName) {
        await pipeline(entry, createWriteStream(path));
        found = true;
      } else if (name === notesFileName) {
        notes = await text(entry);
      } else {
        entry.resume();
      }
    }
    await unpacking;
  } catch (error) {
    await unpacking.catch(() => undefined);
    if (broken !== undefined) throw broken as Error;
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new InvalidReceiptData('the archive is no readable tar.gz');
  }
  if (!found) throw new InvalidReceiptData(`the archive has no ${databaseFileName} at its root`);
  return notes;
}
