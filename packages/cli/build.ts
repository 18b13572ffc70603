import { Command, CommanderError } from 'commander';
import { bundleAll } from '../../components/bundling/bundles.ts';
import { BUNDLE_LIMITS, type BundleLimits } from './bundle_size/limits.ts';
import { type BundleSize, measureBundles } from './bundle_size/measure.ts';

export interface BuildPorts {
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
  const rows = [
    ['bundle', 'zip', 'limit', 'unzipped', 'files'],
    ...sizes.map(({ what, zipped, limit, unzipped, files }) => [
      what,
      kilobytes(zipped),
      kilobytes(limit),
      kilobytes(unzipped),
      String(files),
    ]),
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => {
        const width = widths?.[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      });
      return `${cells.join('  ')}\n`;
    })
    .join('');
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}

if (import.meta.main) {
  process.exitCode = await build(process.argv.slice(2), {
    limits: BUNDLE_LIMITS,
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  });
}
