import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { writeLineFile } from './line_file.ts';
import { withTemporaryFolder } from './temporary_folder.ts';

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
