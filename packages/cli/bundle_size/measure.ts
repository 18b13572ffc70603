import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundles } from '../../../components/bundling/bundles.ts';
import { listFiles } from '../../../components/bundling/bundle_folder.ts';
import { functionsOf } from '../../../components/state_machines/workflows.ts';
import type { BundleLimits } from './limits.ts';
import { zipSize } from './zip_size.ts';

/** How large one bundle is. Sizes in bytes. */
export interface BundleSize {
  /** `layer`, or a function's name. */
  readonly what: string;
  readonly zipped: number;
  readonly unzipped: number;
  readonly files: number;
  /** What `zipped` may be. */
  readonly limit: number;
}

/** Measures the layer and every function, in this order. */
export async function measureBundles(
  bundles: Bundles,
  limits: BundleLimits,
): Promise<BundleSize[]> {
  return await Promise.all([
    measure('layer', bundles.layer, limits.layer),
    ...functionsOf().map(({ name }) => measure(name, bundles.handler(name), limits.handler)),
  ]);
}

async function measure(what: string, folder: string, limit: number): Promise<BundleSize> {
  const files = new Map<string, Uint8Array>();
  for (const path of await listFiles(folder)) files.set(path, await readFile(join(folder, path)));
  const sizes = [...files.values()].map(({ length }) => length);
  return {
    what,
    zipped: zipSize(files),
    unzipped: sizes.reduce((sum, size) => sum + size, 0),
    files: files.size,
    limit,
  };
}
