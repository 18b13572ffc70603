import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Workspace } from './workspace.ts';

export interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams. */
  readonly all: string;
}

/** Runs a command line in the workspace, to its end, with this text as what is typed. */
export type Shell = (command: string, input?: string) => Promise<Printed>;

/** Runs `pulumi ARGUMENTS…` in the workspace, to its end. */
export type Pulumi = (...args: string[]) => Promise<Printed>;

/**
 * @param providerPort where the AWS provider listens.
 * @param more variables that each command gets as they are then.
 */
export function shellIn(
  { folder, home }: Workspace,
  providerPort: number,
  more: Readonly<Record<string, string>>,
): Shell {
  const env = {
    HOME: home,
    // Whatever HOME says, the CLI would take the user's own.
    PULUMI_HOME: join(home, '.pulumi'),
    PATH: [join(folder, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
    NO_COLOR: '1',
    npm_config_update_notifier: 'false',
    // Of an account that does not exist; the user's own are not for this.
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'of nobody',
    PULUMI_CONFIG_PASSPHRASE: 'a passphrase',
    PULUMI_DEBUG_PROVIDERS: `aws:${providerPort}`,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    PULUMI_SKIP_UPDATE_CHECK: 'true',
  };
  return async (line, input = '') => {
    const command = spawn('sh', ['-c', line], { cwd: folder, env: { ...env, ...more } });
    command.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([
      text(command.stdout),
      text(command.stderr),
      once(command, 'close') as Promise<[number | null]>,
    ]);
    return { code, stdout, all: stdout + stderr };
  };
}

export function pulumiWith(shell: Shell): Pulumi {
  return (...args) => shell(['pulumi', ...args.map(quoted)].join(' '));
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
