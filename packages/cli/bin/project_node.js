// Starts a program of this project with its own Node (the npm package `node`), since the machine's may be one that can't run
// TypeScript. It must therefore run on any Node from 20.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';

/** The loopback addresses: a proxy of the user's shell must not stand before the embedded AWS. */
const LOOPBACK = ['127.0.0.1', 'localhost'];

/**
 * Runs a program as if it were this process: signals go on to it, and its end is this one's.
 *
 * @param {string} program a file
 * @param {readonly string[]} argv
 */
export function runWithProjectNode(program, argv) {
  const node = projectNode();
  if (node === undefined) {
    process.exitCode = 2;
    return;
  }
  const noProxy = [process.env.NO_PROXY ?? process.env.no_proxy ?? '', ...LOOPBACK]
    .filter((name) => name !== '')
    .join(',');
  const child = spawn(node, [program, ...argv], {
    stdio: 'inherit',
    env: { ...process.env, NO_PROXY: noProxy, no_proxy: noProxy },
  });

  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => {
    // A terminal sends Ctrl-C to the child too, which takes a second one for another wish.
    if (!onTerminal) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));

  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (status, signal) => {
    if (signal === null) {
      process.exitCode = status;
      return;
    }
    // Whoever waits for this process is to see the same end.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** @returns undefined when it is not installed, after having said what to run. */
function projectNode() {
  let folder;
  try {
    folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
  } catch {
    process.stderr.write('The packages of this project are not installed: run `npm ci`.\n');
    return undefined;
  }
  const node = join(folder, 'bin/node');
  if (existsSync(node)) return node;
  process.stderr.write(
    "The project's own Node is not installed: npm was told to run no install scripts (`--ignore-scripts`). " +
      'Run `npm rebuild node esbuild`, which runs those of these two packages alone.\n',
  );
  return undefined;
}
