import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidReceiptData } from '../errors.ts';
import { createDelta, packDelta } from './write_delta.ts';
import { unpackDelta } from '../../../tests/support/deltas.ts';
import { openDelta } from './read_delta.ts';

let temporaryFolder: string;

beforeEach(() => {
  temporaryFolder = mkdtempSync(join(tmpdir(), 'delta-test-'));
});

afterEach(() => {
  rmSync(temporaryFolder, { recursive: true });
});

const record = {
  id: 'id-1',
  vector: Float32Array.of(1, 2),
  document: 'secret text',
  metadata: { line_id: 1 },
};

async function sampleDelta(): Promise<Buffer> {
  return await createDelta({
    collection: 'lines',
    runId: 'run-1',
    dimensions: 2,
    records: [record],
    temporaryFolder,
  });
}

/** The sample delta, with a change made to its database. */
async function changedDelta(sql: string): Promise<Buffer> {
  const path = join(temporaryFolder, 'changed');
  writeFileSync(path, await unpackDelta(await sampleDelta()));
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  const bytes = readFileSync(path);
  rmSync(path);
  return await packDelta(bytes);
}

async function archiveOf(files: Record<string, Buffer | string>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  return gzipSync(await buffer(tar));
}

async function messageOf(archive: Buffer): Promise<string> {
  return await openDelta(archive, temporaryFolder).then(
    () => 'no error',
    (error: unknown) => {
      expect(error).toBeInstanceOf(InvalidReceiptData);
      return (error as InvalidReceiptData).message;
    },
  );
}

describe('openDelta', () => {
  it('finds the database among the other files of a Chroma directory, archived with tar -C', async () => {
    const database = await unpackDelta(await sampleDelta());
    const archive = await archiveOf({
      './1d2c/header.bin': 'index',
      './chroma.sqlite3': database,
      './1d2c/chroma.sqlite3': 'another',
    });

    expect(await openDelta(archive, temporaryFolder)).toStrictEqual({
      collection: 'lines',
      records: [record],
    });
  });

  it('leaves nothing in the temporary folder', async () => {
    await openDelta(await sampleDelta(), temporaryFolder);

    expect(readdirSync(temporaryFolder)).toStrictEqual([]);
  });

  it('refuses bytes that are no gzip', async () => {
    expect(await messageOf(Buffer.from('no archive'))).toBe('the archive is no readable tar.gz');
  });

  it('refuses an archive that was cut short', async () => {
    const archive = await sampleDelta();

    expect(await messageOf(archive.subarray(0, 5000))).toBe('the archive is no readable tar.gz');
  });

  it('refuses an archive whose database is not at its root', async () => {
    const archive = await archiveOf({ 'delta/chroma.sqlite3': 'content' });

    expect(await messageOf(archive)).toBe('the archive has no chroma.sqlite3 at its root');
  });

  it('refuses a file that is no database, and leaves nothing behind', async () => {
    const archive = await archiveOf({ 'chroma.sqlite3': 'no database'.repeat(100) });

    expect(await messageOf(archive)).toBe("chroma.sqlite3 is no database of Chroma's");
    expect(readdirSync(temporaryFolder)).toStrictEqual([]);
  });

  it('refuses a second collection and a name that is neither lines nor words', async () => {
    const second = await changedDelta(
      "INSERT INTO collections (id, name, database_id) SELECT 'x', 'words', database_id FROM collections",
    );
    const renamed = await changedDelta("UPDATE collections SET name = 'letters'");
    const message = 'the delta has not exactly one collection, lines or words';

    expect(await messageOf(second)).toBe(message);
    expect(await messageOf(renamed)).toBe(message);
  });

  it.each([
    "encoding = 'INT32'",
    'vector = NULL',
    "vector = x'00112233445566'",
    'metadata = NULL',
    `metadata = '{"chroma:document": "secret text'`,
  ])('refuses a record with %s, and names its id but none of its text', async (change) => {
    const archive = await changedDelta(`UPDATE embeddings_queue SET ${change}`);

    expect(await messageOf(archive)).toBe('record "id-1" was not written by createDelta');
  });
});
