import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { bundleHandler, bundleLayer, projectFolder } from '../components/bundling/bundles.ts';

/**
 * What a function's start costs with the AWS SDK bundled into the layer, beside the SDK as packages of many
 * files, as Lambda's runtime has it. Prints medians and their ratio from alternating starts in one run.
 */

const { starts } = new Command('npm run bench:cold-start --')
  .description(
    "A function's start with the AWS SDK bundled into the layer, and with the SDK as packages.",
  )
  .option('--starts <N>', 'how often each is started', Number, 20)
  .parse()
  .opts<{ readonly starts: number }>();

const FUNCTION = 'process_receipt_realtime';
const ENVIRONMENT = {
  DYNAMODB_TABLE_NAME: 'table',
  CHROMADB_BUCKET: 'bucket',
  EMBEDDING_MODEL: 'text-embedding-3-small',
  EMBEDDING_DIMENSIONS: '1536',
  OPENAI_API_KEY: 'sk-none',
  AWS_REGION: 'us-east-1',
};
/** Prints how long the import took, milliseconds. */
const PROGRAM = `
const started = performance.now();
await import('./task/handler.mjs');
console.log(performance.now() - started);`;

const folder = mkdtempSync(join(tmpdir(), 'cold-start-'));
try {
  const bundled = await install('bundled', []);
  const packages = await install('packages', ['@aws-sdk/*', '@smithy/*']);
  const times: Record<'bundled' | 'packages', number[]> = { bundled: [], packages: [] };
  for (let start = 0; start < starts; start++) {
    times.bundled.push(measure(bundled));
    times.packages.push(measure(packages));
  }
  const [a, b] = [median(times.bundled), median(times.packages)];
  process.stdout.write(
    `${FUNCTION}, median of ${starts} starts each\n` +
      `  SDK bundled into the layer  ${a.toFixed(0)} ms\n` +
      `  SDK as packages             ${b.toFixed(0)} ms\n` +
      `  packages / bundled          ${(b / a).toFixed(2)}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Lays a function out as it is deployed, with its layer on its module path. */
async function install(name: string, external: readonly string[]): Promise<string> {
  const root = join(folder, name);
  mkdirSync(root);
  const modules = await bundleHandler(FUNCTION, join(root, 'task'));
  const layer = join(root, 'layer');
  await bundleLayer(layer, modules, external);
  cpSync(join(layer, 'nodejs/node_modules'), join(root, 'node_modules'), { recursive: true });
  if (external.length > 0) {
    // The SDK's packages find each other where npm has put them.
    for (const scope of ['@aws-sdk', '@smithy']) {
      symlinkSync(join(projectFolder, 'node_modules', scope), join(root, 'node_modules', scope));
    }
  }
  return root;
}

function measure(root: string): number {
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: root,
    env: ENVIRONMENT,
    encoding: 'utf8',
  });
  return Number(printed);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
