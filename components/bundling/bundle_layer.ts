import { join } from 'node:path';
import { build, type OutputFile } from 'esbuild';
import { commonOptions, LAYER_PACKAGE, LAYER_VENDORS, projectFolder } from './build_options.ts';
import { writeBundle } from './bundle_folder.ts';

/** A layer's packages are found under this path, which Lambda puts on its module path as `/opt/nodejs/node_modules`. */
const MODULES = 'nodejs/node_modules';

/**
 * Bundles the shared layer into `folder`: our own package with its clients, and the vendors' packages that
 * handlers import. All entry points share their chunks, so a function loads only what it imports.
 *
 * @param modules what handlers import of our own package; the rest of it stays inside.
 * @param external packages that the layer leaves to the runtime; none, but for measuring what that would cost.
 */
export async function bundleLayer(
  folder: string,
  modules: readonly string[],
  external: readonly string[] = [],
): Promise<void> {
  const own = ownEntryPoints(modules);
  const entryPoints = {
    ...Object.fromEntries(
      Object.entries(own).map(([subpath, file]) => [`${LAYER_PACKAGE}/${subpath}`, file]),
    ),
    ...Object.fromEntries(LAYER_VENDORS.map((vendor) => [`${vendor}/index`, vendor])),
  };
  const { outputFiles } = await build({
    ...commonOptions,
    entryPoints,
    splitting: true,
    external: [...external],
    outdir: join(projectFolder, 'dist/layer', MODULES),
    chunkNames: `${LAYER_PACKAGE}/chunks/[hash]`,
  });
  const files = relativeTo(join(projectFolder, 'dist/layer'), outputFiles);
  const manifests = [
    [
      LAYER_PACKAGE,
      Object.keys(own).map((subpath) => [`./${subpath}`, `./${subpath}.js`]),
    ] as const,
    ...vendorManifests(),
  ];
  for (const [name, exports] of manifests) {
    const manifest = { name, type: 'module', exports: Object.fromEntries(exports) as unknown };
    files.set(`${MODULES}/${name}/package.json`, Buffer.from(JSON.stringify(manifest)));
  }
  await writeBundle(folder, files);
}

/** The subpaths of our own package and their sources. */
function ownEntryPoints(modules: readonly string[]): Record<string, string> {
  const subpaths = [...new Set(modules)].map((module) => module.slice(LAYER_PACKAGE.length + 1));
  return Object.fromEntries(
    subpaths
      .sort()
      .map((subpath) => [
        subpath,
        join(projectFolder, 'layers/receipt_embedding', `${subpath}.ts`),
      ]),
  );
}

/** `@scope/name/sub` is the subpath `./sub` of the package `@scope/name`. */
function vendorManifests(): [string, [string, string][]][] {
  return LAYER_VENDORS.map((vendor) => {
    const parts = vendor.split('/');
    const length = vendor.startsWith('@') ? 2 : 1;
    const subpath = parts.slice(length).join('/');
    return [
      parts.slice(0, length).join('/'),
      [
        [
          subpath === '' ? '.' : `./${subpath}`,
          subpath === '' ? './index.js' : `./${subpath}/index.js`,
        ],
      ],
    ];
  });
}

function relativeTo(folder: string, outputs: readonly OutputFile[]): Map<string, Uint8Array> {
  return new Map(
    outputs
      .map(({ path, contents }): [string, Uint8Array] => [path.slice(folder.length + 1), contents])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
