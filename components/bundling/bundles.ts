import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type OutputFile } from 'esbuild';
import { STACK_FUNCTIONS } from '../stack_functions.ts';
import { writeBundle } from './bundle_folder.ts';

/** Where this project lies. */
export const projectFolder = fileURLToPath(new URL('../../', import.meta.url));

/** What the layer's package is called, as handlers import it. */
const LAYER_PACKAGE = 'receipt-embedding';

/** Packages that the layer carries whole beside our own, because every handler imports them. */
const LAYER_VENDORS = [
  '@aws-lambda-powertools/logger',
  '@aws-lambda-powertools/metrics',
  '@aws-lambda-powertools/parameters/secrets',
  'zod',
];

/**
 * What handlers and layer have in common. Nothing is written by esbuild itself, and the folder that it writes
 * to in its mind is always the same: so the bytes are too, wherever they end up.
 */
const commonOptions = {
  absWorkingDir: projectFolder,
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  // The names of error classes are part of the contract (docs/architecture.md).
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  mainFields: ['module', 'main'],
  charset: 'utf8',
  logLevel: 'silent',
  metafile: true,
  // Packages in CommonJS call `require`, which a module in ES form has only when it makes it.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
} as const satisfies BuildOptions;

/** The folders of `simple_lambdas` with the code of functions; several functions may share one. */
export const FUNCTION_FOLDERS: readonly string[] = [
  ...new Set(STACK_FUNCTIONS.map(({ name, folder = name }) => folder)),
];

/** Where the bundles of the layer and of each function are. */
export interface Bundles {
  readonly layer: string;
  /** @param name the function's folder in `simple_lambdas`. */
  readonly handler: (name: string) => string;
}

/**
 * Bundles every function, and then the layer with what they import of it; once in a process.
 *
 * @param folder by default `dist` in the project.
 */
export async function bundleAll(folder: string = join(projectFolder, 'dist')): Promise<Bundles> {
  const bundled = written.get(folder) ?? writeAll(folder);
  written.set(folder, bundled);
  return await bundled;
}

/** By folder: `npm start` shows the bundles before the program asks for them in the same process. */
const written = new Map<string, Promise<Bundles>>();

async function writeAll(folder: string): Promise<Bundles> {
  const bundles: Bundles = {
    layer: join(folder, 'layer'),
    handler: (name) => join(folder, 'functions', name),
  };
  const imported = await Promise.all(
    FUNCTION_FOLDERS.map((name) => bundleHandler(name, bundles.handler(name))),
  );
  await bundleLayer(bundles.layer, imported.flat());
  return bundles;
}

/** What Lambda calls: the export `handler` of `handler.mjs`. */
export const HANDLER = 'handler.handler';

/**
 * Bundles one function of `simple_lambdas` into `folder`: its own code alone, since what functions share is
 * the layer's.
 *
 * @returns the modules of the layer that it imports, for instance `receipt-embedding/errors`.
 */
export async function bundleHandler(name: string, folder: string): Promise<string[]> {
  const { metafile, outputFiles } = await build({
    ...commonOptions,
    banner: {},
    entryPoints: { handler: join(projectFolder, 'simple_lambdas', name, 'handler.ts') },
    outdir: join(projectFolder, 'dist/functions', name),
    outExtension: { '.js': '.mjs' },
    external: [`${LAYER_PACKAGE}/*`, ...LAYER_VENDORS],
  });
  await writeBundle(
    folder,
    new Map(outputFiles.map(({ path, contents }) => [basename(path), contents])),
  );
  return Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports.map(({ path }) => path))
    .filter((path) => path.startsWith(`${LAYER_PACKAGE}/`));
}

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
