import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

// Not proved here: that npm links the bin, and that it runs on Node 20 (tried by hand with 20.20, after an `npm ci --ignore-scripts`).

const BIN = fileURLToPath(new URL('bin/receipts.js', import.meta.url));

function receipts(argv: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [BIN, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...environment },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function ended(child: ChildProcess): Promise<{ status: number; out: string; err: string }> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('it has no pipes');
  const [out, err, [status]] = await Promise.all([
    stdout.destroyed ? '' : text(stdout),
    text(stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { status, out, err };
}

describe('the bin', () => {
  it.each([
    'start',
    'execute',
    'estimate',
    'status',
    'search',
    'console',
    'env',
    'redo',
    'verify',
    'forget',
  ])('explains %s with examples and exit codes', async (command) => {
    const { status, out, err } = await ended(receipts([command, '--help']));

    expect([status, err]).toStrictEqual([0, '']);
    expect(out).toMatch(
      new RegExp(`^Usage: receipts ${command} .*[^]*^Examples:\\n {2}# .+\\n {2}npx`, 'm'),
    );
    expect(out).toMatch(/^Exit codes:\n {4}0 {2}[^]* 2 {2}[^]* 130 {2}/m);
  });

  it.each([
    [[], /^Usage: receipts /],
    [['staus'], /unknown command 'staus'[^]*Did you mean status/],
    [['status', '--executions', '0'], /whole number from 1 to 100/],
  ])('ends with 2 for %j', async (argv, message) => {
    const { status, out, err } = await ended(receipts(argv));

    expect([status, out]).toStrictEqual([2, '']);
    expect(err).toMatch(message);
  });

  it('shows no stack trace when nobody reads what it prints', async () => {
    const child = receipts(['execute', '--help']);
    child.stdout?.destroy();

    expect(await ended(child)).toStrictEqual({ status: 0, out: '', err: '' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'passes %s on, and the exit code back',
    async (signal) => {
      const arn = 'arn:aws:states:us-east-1:000000000000:execution:machine:name';
      const child = receipts(['execute', '--watch', arn], {
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
      });
      child.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.includes('The connection to AWS is lost')) child.kill(signal);
      });

      const { status, out, err } = await ended(child);

      expect([status, err]).toStrictEqual([130, '']);
      expect(out).toContain('The execution goes on. Watch it again:');
    },
  );
});

describe('the launcher of all npm scripts', () => {
  /** It, in a project where so much is installed. */
  async function launched(installed: 'nothing' | 'without scripts', bin: string): Promise<unknown> {
    const folder = await mkdtemp(join(tmpdir(), 'launcher-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(join(fileURLToPath(new URL('bin', import.meta.url))), join(folder, 'bin'), {
      recursive: true,
    });
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    if (installed === 'without scripts') {
      await mkdir(join(folder, 'node_modules/node'), { recursive: true });
      await writeFile(join(folder, 'node_modules/node/package.json'), '{"name":"node"}');
    }
    const child = spawn(process.execPath, [join(folder, 'bin', bin), 'start'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return await ended(child);
  }

  it.each(['receipts.js', 'run.js'])(
    '(%s) says what to run after an `npm ci --ignore-scripts`',
    async (bin) => {
      expect(await launched('without scripts', bin)).toStrictEqual({
        status: 2,
        out: '',
        err:
          "The project's own Node is not installed: npm was told to run no install scripts (`--ignore-scripts`). " +
          'Run `npm rebuild node esbuild`, which runs those of these two packages alone.\n',
      });
    },
  );

  it.each(['receipts.js', 'run.js'])('(%s) says what to run before an `npm ci`', async (bin) => {
    expect(await launched('nothing', bin)).toStrictEqual({
      status: 2,
      out: '',
      err: 'The packages of this project are not installed: run `npm ci`.\n',
    });
  });

  it('starts every npm script that runs TypeScript', async () => {
    const { scripts } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { readonly scripts: Readonly<Record<string, string>> };
    const others = Object.entries(scripts).filter(
      ([name, script]) =>
        !name.startsWith('check') && !/^node packages\/cli\/bin\/(receipts|run)\.js /.test(script),
    );
    expect(others).toStrictEqual([]);
  });
});
