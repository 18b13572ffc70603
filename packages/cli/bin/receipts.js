#!/usr/bin/env node
// The bin of the package, and what `npm start` and its like run: receipts.ts on the project's own Node (the npm package `node`), since
// the machine's may be one that can't run TypeScript. It must therefore run on any Node from 20.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

/** The first that runs TypeScript as this project writes it. */
const NODE = 24;
const program = new URL('../receipts.ts', import.meta.url);

if (Number(process.versions.node.split('.')[0]) >= NODE) await import(program.href);
else runOnOwnNode();

function runOnOwnNode() {
  const node = ownNode();
  if (node === undefined) {
    process.stderr.write(
      `This is Node ${process.versions.node}, and the project's own Node ${NODE} is not installed ` +
        '(`npm ci --ignore-scripts` leaves it out): run `npm rebuild node`, then this command again.\n',
    );
    process.exit(2);
  }
  const child = spawn(node, [fileURLToPath(program), ...process.argv.slice(2)], {
    stdio: 'inherit',
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

function ownNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const node = join(folder, 'bin/node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}
