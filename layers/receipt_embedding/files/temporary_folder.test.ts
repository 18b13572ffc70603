import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { withTemporaryFolder } from './temporary_folder.ts';

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
