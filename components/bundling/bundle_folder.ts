import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';

/** Files by their path relative to the bundle's folder, with `/`. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/**
 * Makes `folder` hold exactly these files. A file that already has the same bytes is left alone,
 * and every other is put in place whole, so that builds that run side by side don't disturb each other.
 */
export async function writeBundle(folder: string, files: BundleFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const path of await listFiles(folder)) {
    if (!files.has(path)) await rm(join(folder, path), { force: true });
  }
  // Beside the folder, where no other build takes a file that is not yet in place for one that is left over.
  const staging = await mkdtemp(`${folder}.`);
  try {
    for (const [path, content] of files) await writeIfChanged(join(folder, path), content, staging);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** All files below a folder, sorted, relative to it. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

async function writeIfChanged(path: string, content: Uint8Array, staging: string): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(content) === true) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(staging, basename(path));
  await writeFile(temporary, content);
  await rename(temporary, path);
}
