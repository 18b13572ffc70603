import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ExportProblems } from './export_problems.ts';

/**
 * The files that these paths mean: a file itself, or the `*.json` files of a folder and of all its folders, sorted. A file that
 * is named twice comes once. What is wrong with a path is added to `problems`.
 */
export async function findExportFiles(
  paths: readonly string[],
  problems: ExportProblems,
): Promise<readonly string[]> {
  const files = new Map<string, string>();
  for (const path of paths) {
    try {
      const found = (await stat(path)).isDirectory() ? await jsonFilesIn(path) : [path];
      if (found.length === 0) problems.add(`${path}: the folder holds no .json file`);
      for (const file of found) files.set(resolve(file), file);
    } catch (error) {
      problems.add(`${path}: ${describeFileError(error)}`);
    }
  }
  return [...files.values()];
}

async function jsonFilesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith('.json'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

/** @returns undefined when the file can't be read: why is added to `problems`. */
export async function readExportFile(
  file: string,
  problems: ExportProblems,
): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    problems.add(`${file}: ${describeFileError(error)}`);
    return undefined;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: "can't be read: permission denied",
  EISDIR: 'is a folder',
  // Node's own limit for a file that is read in one piece.
  ERR_FS_FILE_TOO_LARGE: "can't be read: it is larger than 2 GiB; split it",
};

function describeFileError(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) throw error;
  const code = String(error.code);
  return reasons[code] ?? `can't be read (${code})`;
}
