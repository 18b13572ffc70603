import { cp, mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { asset } from '@pulumi/pulumi';
import type { LambdaStandIn } from '../lambda/lambda_stand_in.ts';

/** What the program registers of a function, as far as it is needed here. */
export interface FunctionState {
  readonly name: string;
  readonly arn: string;
  readonly role: string;
  readonly handler: string;
  readonly code: asset.FileArchive;
  readonly layers: readonly string[];
  readonly memorySize: number;
  readonly timeout: number;
  readonly environment: { readonly variables: Readonly<Record<string, string>> };
}

/** The layers' archives, by their ARNs. */
export type Layers = ReadonlyMap<string, asset.FileArchive>;

interface FunctionsHome {
  readonly lambda: LambdaStandIn;
  /** Where functions are installed. */
  readonly functionsFolder: string;
}

/**
 * Installs a function as Lambda does: its code in a folder of its own, its layer's packages on its module path. Lambda has the
 * latter by an option of its runtime; here the layer's folder stands where Node looks anyway.
 *
 * @throws when its layers are not the one of this stack.
 */
export async function installFunction(
  state: FunctionState,
  layers: Layers,
  { lambda, functionsFolder }: FunctionsHome,
): Promise<void> {
  const [layerArn = ''] = state.layers;
  const layer = layers.get(layerArn);
  if (layer === undefined || state.layers.length !== 1) {
    throw new Error(
      `${state.name} has the layers ${state.layers.join(', ')}, not the one of this stack`,
    );
  }
  const root = join(functionsFolder, state.name);
  await mkdir(root, { recursive: true });
  const packages = join(resolve(await layer.path), 'nodejs/node_modules');
  await symlink(packages, join(root, 'node_modules'), 'dir');
  // A copy, not a link: Node looks for packages beside the file that a link leads to.
  await cp(resolve(await state.code.path), join(root, 'task'), { recursive: true });
  const [file = '', exportName = ''] = state.handler.split('.');
  lambda.createFunction({
    functionName: state.name,
    functionArn: state.arn,
    roleArn: state.role,
    handlerFile: join(root, 'task', `${file}.mjs`),
    exportName,
    memorySize: state.memorySize,
    timeout: state.timeout,
    environment: state.environment.variables,
  });
}
