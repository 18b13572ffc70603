import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { commonOptions, LAYER_PACKAGE, LAYER_VENDORS, projectFolder } from './build_options.ts';
import { writeBundle } from './bundle_folder.ts';

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
