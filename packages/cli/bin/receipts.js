#!/usr/bin/env node
// The bin of the package: it runs receipts.ts with the project's own Node (the npm package `node`), since the machine's may be
// one that can't run TypeScript. It must therefore run on any Node from 20.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');
if (!existsSync(node)) {
  process.stderr.write("The project's own Node is not installed: run `npm rebuild node`.\n");
  process.exit(2);
}
const program = fileURLToPath(new URL('../receipts.ts', import.meta.url));
const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });

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
