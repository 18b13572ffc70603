import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Calls `use` with a new folder inside `parent`, and removes that folder afterwards, also when `use` throws.
 *
 * @throws ENOENT or EACCES when `parent` does not exist or can't be written to; what `use` throws.
 */
export async function withTemporaryFolder<Result>(
  parent: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(parent, 'batch-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
