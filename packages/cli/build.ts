import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { Command, CommanderError } from 'commander';
import { listFiles } from '../../components/bundling/bundle_folder.ts';
import { bundleAll, type Bundles, FUNCTION_FOLDERS } from '../../components/bundling/bundles.ts';
import { columns } from './command_line/text.ts';

interface BuildPorts {
  readonly limits: BundleLimits;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * Bundles the layer and the functions and prints how large they are.
 *
 * @param args the command line, without the program.
 * @returns the exit status: 0, 1 when a bundle is over its limit, 2 for wrong arguments.
 */
export async function build(args: readonly string[], ports: BuildPorts): Promise<number> {
  const command = new Command('npm run build --')
    .description(
      'Bundles the layer and every function, as a deployment does, and prints their sizes.',
    )
    .option('--out <folder>', 'where the bundles go (default: dist in the project)')
    .helpOption('--help', 'this text')
    .showHelpAfterError('(npm run build -- --help lists all options)')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: ports.write, writeErr: ports.writeError });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  const { out } = command.opts<{ out?: string }>();
  const sizes = await measureBundles(await bundleAll(out), ports.limits);
  ports.write(table(sizes));
  const tooLarge = sizes.filter(({ zipped, limit }) => zipped > limit);
  for (const { what, zipped, limit } of tooLarge) {
    ports.writeError(`${what} is ${zipped - limit} bytes over its limit of ${limit}\n`);
  }
  return tooLarge.length === 0 ? 0 : 1;
}

function table(sizes: readonly BundleSize[]): string {
  const rows = sizes.map(({ what, zipped, limit, unzipped, files }) => [
    what,
    kilobytes(zipped),
    kilobytes(limit),
    kilobytes(unzipped),
    String(files),
  ]);
  const lines = columns([['bundle', 'zip', 'limit', 'unzipped', 'files'], ...rows]);
  return `${lines.join('\n')}\n`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}

/** What a bundle may weigh as a zip, in bytes. */
export interface BundleLimits {
  readonly layer: number;
  /** Of each function. */
  readonly handler: number;
}

/**
 * Ours, far below Lambda's own (50 MB zipped, 250 MB unzipped): a function's first start reads all of its bundle, and a
 * handler that outgrows this carries what belongs in the layer.
 */
export const BUNDLE_LIMITS: BundleLimits = { layer: 5_000_000, handler: 50_000 };

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
    ...FUNCTION_FOLDERS.map((name) => measure(name, bundles.handler(name), limits.handler)),
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

/** Fixed parts of a zip archive, in bytes (PKWARE's APPNOTE, 4.3). */
const LOCAL_HEADER = 30;
const DATA_DESCRIPTOR = 16;
const CENTRAL_HEADER = 46;
const END_OF_DIRECTORY = 22;

/**
 * The size of the zip archive that a deployment uploads for these files, in bytes: each deflated on its own, as
 * archives are that are written in one pass. The same files always give the same number.
 */
export function zipSize(files: ReadonlyMap<string, Uint8Array>): number {
  let size = END_OF_DIRECTORY;
  for (const [path, content] of files) {
    const headers = LOCAL_HEADER + DATA_DESCRIPTOR + CENTRAL_HEADER;
    size += headers + 2 * Buffer.byteLength(path) + deflateRawSync(content).length;
  }
  return size;
}

if (import.meta.main) {
  process.exitCode = await build(process.argv.slice(2), {
    limits: BUNDLE_LIMITS,
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  });
}
