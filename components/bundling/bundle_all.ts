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
 * Bundles the layer and every function.
 *
 * @param folder by default `dist` in the project.
 */
export async function bundleAll(folder: string = join(projectFolder, 'dist')): Promise<Bundles> {
  const bundles: Bundles = {
    layer: join(folder, 'layer'),
    handler: (name) => join(folder, 'functions', name),
  };
  await Promise.all([
    bundleLayer(bundles.layer),
    ...FUNCTION_NAMES.map((name) => bundleHandler(name, bundles.handler(name))),
  ]);
  return bundles;
}
