import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Calls `use` with a new folder inside `parent`, and removes that folder afterwards, also when
 * `use` throws. Synchronous from end to end, so that a timeout of the event loop can't strand it.
 *
 * @throws ENOENT or EACCES when `parent` does not exist or can't be written to; what `use` throws.
 */
export function inTemporaryFolder<T>(parent: string, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(parent, 'delta-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
