import { join } from 'node:path';
import { FUNCTION_NAMES, type FunctionName } from '../function_names.ts';
import { projectFolder } from './build_options.ts';
import { bundleHandler } from './bundle_handler.ts';
import { bundleLayer } from './bundle_layer.ts';

/** Where the bundles of the layer and of each function are. */
export interface Bundles {
  readonly layer: string;
  readonly handler: (name: FunctionName) => string;
}

/**
 * Bundles every function, and then the layer with what they import of it.
 *
 * @param folder by default `dist` in the project.
 */
export async function bundleAll(folder: string = join(projectFolder, 'dist')): Promise<Bundles> {
  const bundles: Bundles = {
    layer: join(folder, 'layer'),
    handler: (name) => join(folder, 'functions', name),
  };
  const imported = await Promise.all(
    FUNCTION_NAMES.map((name) => bundleHandler(name, bundles.handler(name))),
  );
  await bundleLayer(bundles.layer, imported.flat());
  return bundles;
}
