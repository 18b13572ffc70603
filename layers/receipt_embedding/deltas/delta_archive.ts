import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { InvalidReceiptData } from '../errors.ts';

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
