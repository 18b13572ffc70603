import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../tests/support/collect.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { linesOf, withTemporaryFolder, writeLineFile } from './local_files.ts';

/** The lines of a text that comes in chunks of these lengths, over and over. */
async function lines(text: string, lengths: readonly number[], longest?: number) {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = lengths[chunks.length % lengths.length] ?? 1;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return await collect(linesOf(Readable.from(chunks), longest));
}

const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '🧾', ' '), maxLength: 12 }));

const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('the lines of a stream', () => {
  it.each(['\n', '\r\n'])('are whole wherever it is cut, empty ones left out: %j', async (end) => {
    await fc.assert(
      fc.asyncProperty(texts, fc.boolean(), lengths, async (all, ended, cuts) => {
        const text = all.join(end) + (ended ? end : '');

        expect(await lines(text, cuts)).toStrictEqual(all.filter((line) => line !== ''));
      }),
    );
  });

  it('are cut where they are too long, each by itself, wherever the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20)), lengths, async (sizes, cuts) => {
        const text = sizes.map((size) => `${'x'.repeat(size)}\n`).join('');
        const kept = sizes.filter((size) => size > 0).map((size) => Math.min(size, 8));

        expect((await lines(text, cuts, 8)).map(({ length }) => length)).toStrictEqual(kept);
      }),
    );
  });

  it('take no more memory than the longest that is kept, however long one is', async () => {
    const chunk = Buffer.alloc(1_000_000, 'x');
    let chunks = 0;
    const endless = Readable.from(
      (function* (): Generator<Buffer> {
        // One character more than V8's longest string holds.
        for (; chunks < 537; chunks++) yield chunk;
        yield Buffer.from('\nnext\n');
      })(),
    );

    const [long, ...others] = await collect(linesOf(endless, 1_000));

    expect([chunks, long?.length, others]).toStrictEqual([537, 1_000, ['next']]);
  });

  it('come as they arrive, and the stream is asked for no more than that', async () => {
    let chunks = 0;
    const stream = Readable.from(
      (function* (): Generator<Buffer> {
        for (;;) {
          chunks++;
          yield Buffer.from(`${chunks}\n`);
        }
      })(),
      { highWaterMark: 1 },
    );

    for await (const line of linesOf(stream)) if (line === '3') break;

    expect(stream.destroyed).toBe(true);
    expect(chunks).toBeLessThan(10);
  });

  it('end with the error that the stream ends with', async () => {
    const broken = Readable.from(
      (function* (): Generator<Buffer> {
        yield Buffer.from('a\nb\nc');
        throw new Error('cut');
      })(),
    );
    const seen: string[] = [];

    const error = await rejection(
      (async () => {
        for await (const line of linesOf(broken)) seen.push(line);
      })(),
    );

    expect([error.message, seen]).toStrictEqual(['cut', ['a', 'b']]);
  });
});

/** What a file holds that these lines were written to; and what is said of it. */
async function written(all: Iterable<string>) {
  return await withTemporaryFolder(tmpdir(), async (folder) => {
    const { path, bytes, lines } = await writeLineFile(join(folder, 'lines'), all);
    return { text: await readFile(path, 'utf8'), bytes, lines };
  });
}

describe('a file of lines', () => {
  it('is empty without lines', async () => {
    expect(await written([])).toStrictEqual({ text: '', bytes: 0, lines: 0 });
  });

  it('holds its lines, and counts bytes where a character has several', async () => {
    expect(await written(['é', '🧾', ''])).toStrictEqual({
      text: 'é\n🧾\n\n',
      bytes: 9,
      lines: 3,
    });
  });

  it('holds more than is written at once, with nothing lost between the pieces', async () => {
    const all = Array.from({ length: 30 }, (_, at) => `${at}${'é'.repeat(100_000)}`);
    const text = all.map((line) => `${line}\n`).join('');

    expect(await written(all)).toStrictEqual({ text, bytes: Buffer.byteLength(text), lines: 30 });
  });

  it('is never written over one that is there', async () => {
    await withTemporaryFolder(tmpdir(), async (folder) => {
      const path = join(folder, 'lines');
      await writeLineFile(path, ['first']);

      expect((await rejection(writeLineFile(path, ['second']))).message).toMatch(/^EEXIST/);
      expect(await readFile(path, 'utf8')).toBe('first\n');
    });
  });

  it('is not left open when its lines break off', async () => {
    const open = (): number => readdirSync('/dev/fd').length;
    const broken = async function* (): AsyncGenerator<string> {
      yield await Promise.resolve('a');
      throw new Error('cut');
    };
    await withTemporaryFolder(tmpdir(), async (folder) => {
      const before = open();
      for (let at = 0; at < 20; at++) {
        const writing = writeLineFile(join(folder, String(at)), broken());
        expect((await rejection(writing)).message).toBe('cut');
      }

      expect(open() - before).toBeLessThan(20);
    });
  });
});

describe('temporary folder', () => {
  it('is there for as long as it is used, each use with its own, and gone with all that is in it', async () => {
    await withTemporaryFolder(tmpdir(), async (parent) => {
      const use = async (folder: string): Promise<string> => {
        await mkdir(join(folder, 'deep'));
        await writeFile(join(folder, 'deep', 'file'), 'x');
        expect(await readdir(parent)).toHaveLength(2);
        return folder;
      };
      const outer = await withTemporaryFolder(parent, async (folder) => {
        const inner = await withTemporaryFolder(parent, use);
        expect(inner).not.toBe(folder);
        return folder;
      });

      expect(outer.startsWith(parent)).toBe(true);
      expect(await readdir(parent)).toStrictEqual([]);
    });
  });

  it('is gone when its use fails, with that failure', async () => {
    await withTemporaryFolder(tmpdir(), async (parent) => {
      const failing = withTemporaryFolder(parent, async (folder) => {
        await writeFile(join(folder, 'file'), 'x');
        throw new Error('full');
      });

      expect((await rejection(failing)).message).toBe('full');
      expect(await readdir(parent)).toStrictEqual([]);
    });
  });

  it('says where it could not be made', async () => {
    const missing = join(tmpdir(), 'there-is-no-such-folder');

    const error = await rejection(withTemporaryFolder(missing, () => Promise.resolve()));

    expect(error.message).toMatch(/^ENOENT.*there-is-no-such-folder/);
  });
});
