import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_LIMITS, measureBundles } from 'receipts-cli/build';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listFiles } from '../../components/bundling/bundle_folder.ts';
import {
  bundleAll,
  type Bundles,
  FUNCTION_FOLDERS,
  projectFolder,
} from '../../components/bundling/bundles.ts';

const FUNCTION_NAMES = FUNCTION_FOLDERS;

// Not proved here: that another version of esbuild gives the same bytes.

/** `path hash` of every file below a folder. */
async function hashes(folder: string): Promise<string[]> {
  const paths = await listFiles(folder);
  return await Promise.all(
    paths.map(async (path) => {
      const content = await readFile(join(folder, path));
      return `${path} ${createHash('sha256').update(content).digest('hex')}`;
    }),
  );
}

describe('the bundles', () => {
  let root: string;
  let first: Bundles;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'bundles-'));
    first = await bundleAll(join(root, 'first'));
  });

  afterAll(() => rm(root, { recursive: true }));

  it('are the same bytes when they are built again, elsewhere', async () => {
    await bundleAll(join(root, 'a/second'));

    const built = await hashes(join(root, 'first'));
    expect(await hashes(join(root, 'a/second'))).toStrictEqual(built);
    expect(built.length).toBeGreaterThan(20);
  });

  it('hold no path of the machine that built them', async () => {
    const paths = await listFiles(join(root, 'first'));
    const found: string[] = [];
    for (const path of paths) {
      const content = await readFile(join(root, 'first', path), 'utf8');
      if (content.includes(projectFolder) || content.includes(root)) found.push(path);
    }
    expect(found).toStrictEqual([]);
  });

  it('are within 50 kB for a function and 5 MB for the layer, zipped', async () => {
    const sizes = await measureBundles(first, BUNDLE_LIMITS);

    expect(sizes.map(({ what, limit }) => [what, limit])).toStrictEqual([
      ['layer', 5_000_000],
      ...FUNCTION_NAMES.map((name) => [name, 50_000]),
    ]);
    expect(sizes.filter(({ zipped, limit }) => zipped >= limit)).toStrictEqual([]);
    expect(sizes.filter(({ unzipped, zipped }) => unzipped <= zipped)).toStrictEqual([]);
  });

  it('have nothing in a function but its own handler', async () => {
    const files = await Promise.all(FUNCTION_NAMES.map((name) => listFiles(first.handler(name))));
    expect(files).toStrictEqual(FUNCTION_NAMES.map(() => ['handler.mjs', 'handler.mjs.map']));
  });

  it('have these packages in the layer, where Lambda looks for them', async () => {
    const manifests = (await listFiles(first.layer)).filter((path) =>
      path.endsWith('/package.json'),
    );
    expect(manifests).toStrictEqual([
      'nodejs/node_modules/@aws-lambda-powertools/logger/package.json',
      'nodejs/node_modules/@aws-lambda-powertools/metrics/package.json',
      'nodejs/node_modules/@aws-lambda-powertools/parameters/package.json',
      'nodejs/node_modules/receipt-embedding/package.json',
      'nodejs/node_modules/zod/package.json',
    ]);
  });
});
