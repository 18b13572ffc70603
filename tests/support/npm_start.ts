import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

export interface EndedCommand {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The command behind `npm start` as a process group of its own, as a terminal starts it, in a temporary folder of its own
 * and nothing of this process's environment but the PATH. After the test none of it is left.
 */
export class NpmStart {
  readonly ended: Promise<EndedCommand>;
  readonly #child: ChildProcess;
  readonly #temporaryFolder: string;
  readonly #onOutput = new Set<() => void>();
  #stdout = '';
  #stderr = '';

  private constructor(
    temporaryFolder: string,
    argv: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.#temporaryFolder = temporaryFolder;
    this.#child = spawn(
      join(PROJECT, 'node_modules/.bin/node'),
      [join(PROJECT, 'packages/cli/receipts.ts'), 'start', ...argv],
      {
        cwd: temporaryFolder,
        detached: true,
        env: { PATH: process.env['PATH'], TMPDIR: temporaryFolder, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      for (const look of this.#onOutput) look();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (status) => {
        for (const look of this.#onOutput) look();
        resolve({ status, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  static async start(
    argv: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<NpmStart> {
    const folder = await mkdtemp(join(tmpdir(), 'npm-start-'));
    const command = new NpmStart(folder, argv, environment);
    onTestFinished(async () => {
      command.#signal('SIGKILL');
      await command.ended;
      await rm(folder, { recursive: true, force: true });
    });
    return command;
  }

  /** All of stdout, once it matches. @throws when the command ends sooner. */
  async printed(pattern: RegExp): Promise<string> {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.test(this.#stdout);
        const over = this.#child.exitCode !== null || this.#child.signalCode !== null;
        if (!found && !over) return;
        this.#onOutput.delete(look);
        if (found) resolve(this.#stdout);
        else reject(new Error(`it ended without ${String(pattern)}: ${this.#stderr}`));
      };
      this.#onOutput.add(look);
      look();
    });
  }

  /** Ctrl-C: what a terminal sends to every process of the group. */
  interrupt(): void {
    this.#signal('SIGINT');
  }

  /** Resolves once no process of the group is left. */
  async gone(): Promise<void> {
    await this.ended;
    while (this.#signal(0)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Another command of `receipts`, in the same folder and with nothing exported. */
  async receipts(...argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return await promisify(execFile)(
      join(PROJECT, 'node_modules/.bin/node'),
      [join(PROJECT, 'packages/cli/receipts.ts'), ...argv],
      { cwd: this.#temporaryFolder, env: { PATH: process.env['PATH'] } },
    );
  }

  /** What it has in its temporary folder. */
  async temporaryFiles(): Promise<string[]> {
    return await readdir(this.#temporaryFolder);
  }

  /** @returns whether there was a process to send it to. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child;
    if (pid === undefined) return false;
    try {
      return process.kill(-pid, signal);
    } catch {
      return false;
    }
  }
}

/** Starts the command and waits for its end. */
export async function npmStart(...argv: string[]): Promise<EndedCommand> {
  return await (
    await NpmStart.start(argv)
  ).ended;
}
