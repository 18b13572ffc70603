import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { InvalidReceiptData } from '../../errors.ts';
import {
  type CollectionName,
  type DeltaRecord,
  documentKey,
  vectorEncoding,
} from './delta_database.ts';
import { databaseFileName, unpackDelta } from './delta_store.ts';

export interface OpenedDelta {
  readonly collection: CollectionName;
  /** In the order in which they were written. */
  readonly records: DeltaRecord[];
}

/**
 * Reads back a delta that createDelta made. It reads Chroma's queue alone, not the index and the
 * tables that Chroma makes of it.
 *
 * @param temporaryFolder an existing folder to work in; nothing is left in it, whatever happens.
 * @throws InvalidReceiptData for an archive that is no such delta.
 */
export async function openDelta(archive: Buffer, temporaryFolder: string): Promise<OpenedDelta> {
  const bytes = await unpackDelta(archive);
  return inTemporaryFolder(temporaryFolder, (folder) => {
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
  } catch (cause) {
    throw new InvalidReceiptData(`${databaseFileName} is no database of Chroma's`, { cause });
  }
}

function collectionOf(rows: Row[]): CollectionName {
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
  const { [documentKey]: document = '', ...rest } = parse(id, metadata);
  // A copy, because the bytes may begin where no float32 may.
  return { id, vector: new Float32Array(vector.slice().buffer), document, metadata: rest };
}

function parse(id: string, metadata: string): Record<string, string> {
  try {
    return JSON.parse(metadata) as Record<string, string>;
  } catch {
    // Without the cause: a SyntaxError quotes the text that it failed on.
    throw unreadable(id);
  }
}

function unreadable(id: SQLOutputValue | undefined): InvalidReceiptData {
  const name = typeof id === 'string' ? JSON.stringify(id) : 'without an id';
  return new InvalidReceiptData(`record ${name} was not written by createDelta`);
}

/**
 * Calls `use` with a new folder inside `parent`, and removes that folder afterwards, also when
 * `use` throws. Synchronous from end to end, so that a timeout of the event loop can't strand it.
 *
 * @throws ENOENT or EACCES when `parent` does not exist or can't be written to; what `use` throws.
 */
export function inTemporaryFolder<T>(parent: string, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(parent, 'delta-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
