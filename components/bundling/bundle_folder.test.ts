import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BundleFiles, listFiles, writeBundle } from './bundle_folder.ts';

const text = (content: string): Uint8Array => Buffer.from(content);
const bundle = (files: Readonly<Record<string, string>>): BundleFiles =>
  new Map(Object.entries(files).map(([path, content]) => [path, text(content)]));

describe('the folder of a bundle', () => {
  let root: string;
  let folder: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'bundle-folder-'));
    folder = join(root, 'bundle');
  });

  afterEach(() => rm(root, { recursive: true }));

  it('holds exactly the files of the bundle, whatever was there before', async () => {
    await mkdir(join(folder, 'old'), { recursive: true });
    await writeFile(join(folder, 'old/stale.js'), 'stale');
    await writeFile(join(folder, 'same.js'), 'before');

    await writeBundle(folder, bundle({ 'same.js': 'after', 'deep/er/new.js': 'new' }));

    expect(await listFiles(folder)).toStrictEqual(['deep/er/new.js', 'same.js']);
    expect(await readFile(join(folder, 'same.js'), 'utf8')).toBe('after');
    expect(await readFile(join(folder, 'deep/er/new.js'), 'utf8')).toBe('new');
    expect(await listFiles(root)).toStrictEqual(['bundle/deep/er/new.js', 'bundle/same.js']);
  });

  it('keeps a file that is as it should be, so that nothing that reads it notices', async () => {
    await writeBundle(folder, bundle({ 'a.js': 'one', 'b.js': 'one' }));
    const inode = async (path: string): Promise<number> => (await stat(join(folder, path))).ino;
    const before = { a: await inode('a.js'), b: await inode('b.js') };

    await writeBundle(folder, bundle({ 'a.js': 'one', 'b.js': 'two' }));

    expect(await inode('a.js')).toBe(before.a);
    expect(await inode('b.js')).not.toBe(before.b);
  });

  it('may be written by many builds at the same time', async () => {
    const files = bundle(
      Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${n % 5}/${n}.js`, `file ${n}`])),
    );

    await Promise.all(Array.from({ length: 8 }, () => writeBundle(folder, files)));

    expect(await listFiles(folder)).toStrictEqual([...files.keys()].sort());
  });
});
