import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { databaseFileName } from 'receipt-embedding/log/delta_database';
import { extract } from 'tar-stream';

/** The files of a `delta.tar.gz`, by their names. */
export async function filesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const tar = extract();
  tar.end(gunzipSync(archive));
  const files = new Map<string, Buffer>();
  for await (const entry of tar) files.set(entry.header.name, await buffer(entry));
  return files;
}

/** The database in a `delta.tar.gz`. */
export async function unpackDelta(archive: Buffer): Promise<Buffer> {
  const database = (await filesOf(archive)).get(databaseFileName);
  if (database === undefined) throw new Error('the archive has no database');
  return database;
}
