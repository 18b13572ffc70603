import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidReceiptData } from '../errors.ts';
import type { DeltaRecord } from './delta_database.ts';
import { createDelta } from './write_delta.ts';
import { openDelta } from './read_delta.ts';
import { unpackDelta } from '../../../tests/support/deltas.ts';

const run = { run_id: '0b7e3f3a-1111-4222-8333-444455556666' };

describe('delta', () => {
  let temporaryFolder: string;

  beforeEach(() => {
    temporaryFolder = mkdtempSync(join(tmpdir(), 'delta-test-'));
  });

  afterEach(() => {
    rmSync(temporaryFolder, { recursive: true });
  });

  function recordOf(index: number, changes: Partial<DeltaRecord> = {}): DeltaRecord {
    return {
      id: `IMAGE#a#RECEIPT#00001#LINE#${String(index).padStart(5, '0')}`,
      vector: Float32Array.of(index, -0.5, 0.25),
      document: `line ${index}`,
      metadata: { receipt_id: '1', line_id: index, x: 0.5 },
      ...changes,
    };
  }

  function linesDelta(records: readonly DeltaRecord[], dimensions = 3): Promise<Buffer> {
    return createDelta({
      collection: 'lines',
      runId: run.run_id,
      dimensions,
      records,
      temporaryFolder,
    });
  }

  async function errorOf(attempt: Promise<unknown>): Promise<unknown> {
    return await attempt.then(
      () => 'no error',
      (error: unknown) => error,
    );
  }

  describe('createDelta', () => {
    it('makes the same bytes from the same records', async () => {
      const records = [recordOf(1), recordOf(2)];

      const first = await linesDelta(records);
      const second = await linesDelta(records);

      expect(second.equals(first)).toBe(true);
    });

    it('makes the same bytes in every run of the program', async () => {
      const delta = await linesDelta([recordOf(1), recordOf(2)]);
      const database = gunzipSync(delta).subarray(512, -1024);

      // Bytes 96 to 99 are the version of SQLite that wrote the file, and change with Node's.
      const digest = createHash('sha256')
        .update(database.subarray(0, 96))
        .update(database.subarray(100))
        .digest('hex');

      expect(digest).toBe('bc35c6bdaf4d45775cac1febc22a6722e7ae4101b5850ad15b0ab51736f14fce');
    });

    it('writes whole numbers of float fields as floats, and of other fields as ints', async () => {
      const delta = await createDelta({
        collection: 'lines',
        runId: run.run_id,
        dimensions: 3,
        records: [recordOf(7, { metadata: { x: 1, y: 0.5, line_id: 7 } })],
        floatFields: new Set(['x', 'y']),
        temporaryFolder,
      });
      const path = join(temporaryFolder, 'chroma.sqlite3');
      writeFileSync(path, await unpackDelta(delta));
      const database = new DatabaseSync(path);
      const row = database.prepare('SELECT metadata FROM embeddings_queue').get();
      database.close();

      expect(row?.['metadata']).toBe('{"x":1.0,"y":0.5,"line_id":7,"chroma:document":"line 7"}');
    });

    it('has ids of its own in each run, or a process that reads several finds the second empty', async () => {
      const runs = Array.from({ length: 10 }, (_, at) => `run-${at}`);
      const ids = async (runId: string, collection: 'lines' | 'words') => {
        const records = [recordOf(1)];
        const made = { collection, runId, dimensions: 3, records, temporaryFolder };
        const path = join(temporaryFolder, `${collection}-${runId}`);
        writeFileSync(path, await unpackDelta(await createDelta(made)));
        const database = new DatabaseSync(path, { readOnly: true });
        const rows = database
          .prepare('SELECT id FROM collections UNION ALL SELECT id FROM segments')
          .all();
        database.close();
        return rows.map(({ id }) => String(id));
      };

      const all = [];
      for (const runId of runs)
        all.push(...(await ids(runId, 'lines')), ...(await ids(runId, 'words')));

      expect(new Set(all).size).toBe(60);
    });

    it('makes other bytes when one text differs', async () => {
      const first = await linesDelta([recordOf(1)]);
      const second = await linesDelta([recordOf(1, { document: 'line 2' })]);

      expect(second.equals(first)).toBe(false);
    });

    it('puts chroma.sqlite3 alone at the root of the archive, with a fixed time and owner', async () => {
      const tar = extract();
      tar.end(gunzipSync(await linesDelta([recordOf(1)])));

      const entries = [];
      for await (const entry of tar) {
        const { name, type, mode, mtime, uid, gid } = entry.header;
        const start = (await buffer(entry)).toString('latin1', 0, 15);
        entries.push({ name, type, mode, mtime, uid, gid, start });
      }

      expect(entries).toStrictEqual([
        {
          name: 'chroma.sqlite3',
          type: 'file',
          mode: 0o644,
          mtime: new Date(0),
          uid: 0,
          gid: 0,
          start: 'SQLite format 3',
        },
      ]);
    });

    it('makes a delta with an empty collection from no records', async () => {
      const delta = await createDelta({
        collection: 'words',
        runId: run.run_id,
        dimensions: 1536,
        records: [],
        temporaryFolder,
      });

      expect(await openDelta(delta, temporaryFolder)).toStrictEqual({
        collection: 'words',
        records: [],
      });
    });

    it.each([
      ['none for an empty collection, as in one that Chroma made', [], null],
      ['the length of its vectors', [recordOf(1)], 3],
    ])('stores as the dimension of a collection %s', async (_what, records, dimension) => {
      const path = join(temporaryFolder, 'unpacked');
      writeFileSync(path, await unpackDelta(await linesDelta(records)));

      const database = new DatabaseSync(path, { readOnly: true });
      const stored = database.prepare('SELECT dimension FROM collections').all();
      database.close();

      expect(stored.map((row) => row['dimension'])).toStrictEqual([dimension]);
    });

    it('holds 300 records of 1,536 dimensions in their order', async () => {
      const records = Array.from({ length: 300 }, (_, index) =>
        recordOf(index, { vector: new Float32Array(1536).fill(index / 300) }),
      );

      const opened = await openDelta(await linesDelta(records, 1536), temporaryFolder);

      expect(opened).toStrictEqual({ collection: 'lines', records });
    });

    it('gives back ids, documents, metadata and vectors as they were', async () => {
      const text = fc.string({ unit: 'binary' });
      const metadata = fc.dictionary(
        text.filter((key) => !key.startsWith('chroma:')),
        fc.oneof(
          text,
          fc.boolean(),
          // JSON has no -0.
          fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
          fc.maxSafeInteger(),
        ),
        { noNullPrototype: true },
      );
      const record = fc.record(
        {
          id: fc.string({ unit: 'binary', minLength: 1 }),
          vector: fc.float32Array({
            minLength: 4,
            maxLength: 4,
            noNaN: true,
            noDefaultInfinity: true,
          }),
          document: text,
          metadata,
        },
        { noNullPrototype: true },
      );
      const records = fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 20 });

      await fc.assert(
        fc.asyncProperty(
          records,
          fc.constantFrom('lines', 'words'),
          async (written, collection) => {
            const delta = await createDelta({
              collection,
              runId: run.run_id,
              dimensions: 4,
              records: written,
              temporaryFolder,
            });
            const opened = await openDelta(delta, temporaryFolder);
            expect(opened).toStrictEqual({ collection, records: written });
          },
        ),
        { numRuns: 60 },
      );
    });

    it('writes only its own part of a buffer that many vectors share', async () => {
      const shared = Float32Array.of(1, 2, 3, 4, 5, 6, 7);
      const records = [
        recordOf(1, { vector: shared.subarray(1, 4) }),
        recordOf(2, { vector: shared.subarray(4, 7) }),
      ];

      const opened = await openDelta(await linesDelta(records), temporaryFolder);

      expect(opened.records.map(({ vector }) => [...vector])).toStrictEqual([
        [2, 3, 4],
        [5, 6, 7],
      ]);
    });

    it('replaces half of a surrogate pair, which Chroma could not read', async () => {
      const record = recordOf(1, {
        document: 'a\ud83e',
        metadata: { text: '\udd55b', line_id: 1 },
      });

      const opened = await openDelta(await linesDelta([record]), temporaryFolder);

      expect(opened.records).toStrictEqual([
        { ...record, document: 'a\ufffd', metadata: { text: '\ufffdb', line_id: 1 } },
      ]);
    });

    it('leaves nothing in the temporary folder', async () => {
      await linesDelta([recordOf(1)]);

      expect(readdirSync(temporaryFolder)).toStrictEqual([]);
    });

    it('leaves nothing in the temporary folder when writing fails halfway', async () => {
      // A getter fails in the middle of the transaction, as a full disk would.
      let reads = 0;
      const record = {
        ...recordOf(2),
        get document(): string {
          reads += 1;
          throw new Error('disk full');
        },
      };

      const error = await errorOf(linesDelta([recordOf(1), record]));

      expect(error).toStrictEqual(new Error('disk full'));
      expect(reads).toBe(1);
      expect(readdirSync(temporaryFolder)).toStrictEqual([]);
    });

    it('reports a temporary folder that does not exist', async () => {
      const missing = join(temporaryFolder, 'missing');

      const error = await errorOf(
        createDelta({
          collection: 'lines',
          runId: run.run_id,
          dimensions: 3,
          records: [],
          temporaryFolder: missing,
        }),
      );

      expect(error).toMatchObject({ code: 'ENOENT' });
    });
  });

  describe('createDelta refuses', () => {
    const cases: [string, readonly DeltaRecord[], string][] = [
      [
        'a vector that is too short',
        [recordOf(1), recordOf(2, { vector: Float32Array.of(1, 2) })],
        'record "IMAGE#a#RECEIPT#00001#LINE#00002": its vector has 2 dimensions, not 3',
      ],
      [
        'a vector that is too long',
        [recordOf(1, { vector: new Float32Array(4) })],
        'record "IMAGE#a#RECEIPT#00001#LINE#00001": its vector has 4 dimensions, not 3',
      ],
      [
        'NaN in a vector',
        [recordOf(1, { vector: Float32Array.of(1, NaN, 3) })],
        'record "IMAGE#a#RECEIPT#00001#LINE#00001": component 1 of its vector is not finite',
      ],
      [
        'infinity in a vector',
        [recordOf(1, { vector: Float32Array.of(1, 2, -Infinity) })],
        'record "IMAGE#a#RECEIPT#00001#LINE#00001": component 2 of its vector is not finite',
      ],
      [
        'NaN in metadata',
        [recordOf(1, { metadata: { line_id: 1, x: NaN } })],
        'record "IMAGE#a#RECEIPT#00001#LINE#00001": the metadata field "x" is not a finite number',
      ],
      [
        'infinity in metadata',
        [recordOf(1, { metadata: { y: Infinity } })],
        'record "IMAGE#a#RECEIPT#00001#LINE#00001": the metadata field "y" is not a finite number',
      ],
      [
        "a metadata field under one of Chroma's own names",
        [recordOf(1, { metadata: { 'chroma:document': 'secret' } })],
        'record "IMAGE#a#RECEIPT#00001#LINE#00001": the metadata field "chroma:document" is Chroma\'s own',
      ],
      ['an empty id', [recordOf(1), recordOf(2, { id: '' })], 'record number 1 has an empty id'],
      [
        'an id that occurs twice',
        [recordOf(1), recordOf(2), recordOf(1)],
        'record "IMAGE#a#RECEIPT#00001#LINE#00001": the id occurs more than once',
      ],
      [
        'an id with half of a surrogate pair',
        [recordOf(1, { id: 'a\ud83e' })],
        'record "a\\ud83e": the id is not valid Unicode',
      ],
    ];

    it.each(cases)('%s, and says which record', async (_what, records, message) => {
      const error = await errorOf(linesDelta(records));

      expect(error).toStrictEqual(new InvalidReceiptData(message));
      expect(error).toHaveProperty('name', 'InvalidReceiptData');
      expect(readdirSync(temporaryFolder)).toStrictEqual([]);
    });

    it.each([0, -1, 1.5, NaN])('%d dimensions', async (dimensions) => {
      expect(await errorOf(linesDelta([], dimensions))).toStrictEqual(
        new InvalidReceiptData(`dimensions must be a whole number from 1, not ${dimensions}`),
      );
    });
  });
});
