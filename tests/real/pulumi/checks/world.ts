import { Account, type Change } from '../aws_provider/account.ts';
import { serveAwsProvider } from '../aws_provider/server.ts';
import { type Printed, type Pulumi, pulumiWith, type Shell, shellIn } from '../pulumi_cli.ts';
import { createWorkspace, type Workspace } from '../workspace.ts';
import type { Checks } from './check.ts';

/** An AWS account, a copy of the project, and Pulumi between them. */
export interface World {
  readonly account: Account;
  readonly workspace: Workspace;
  /** Variables of the commands, beside those that all have. */
  readonly environment: Record<string, string>;
  /** Runs a command line, whatever comes of it. */
  readonly shell: Shell;
  /** Runs `pulumi …`, whatever comes of it. */
  readonly pulumi: Pulumi;
  /** Runs it as a step that must succeed; everything else makes no sense after a failure. */
  readonly must: Pulumi;
  readonly checks: Checks;
}

/** Runs checks in a world of their own, which is gone afterwards. */
export async function inNewWorld(
  cli: string,
  checks: Checks,
  run: (world: World) => Promise<void>,
): Promise<void> {
  const account = new Account();
  const provider = await serveAwsProvider(account);
  const workspace = await createWorkspace(cli);
  const environment: Record<string, string> = {};
  const shell = shellIn(workspace, provider.port, environment);
  const pulumi = pulumiWith(shell);
  const must: Pulumi = async (...args) => {
    const printed = await pulumi(...args);
    if (printed.code !== 0) {
      throw new Error(`pulumi ${args.join(' ')} ended with ${printed.code}:\n${printed.all}`);
    }
    return printed;
  };
  try {
    await must('login', `file://${workspace.home}`);
    await run({ account, workspace, environment, shell, pulumi, must, checks });
  } finally {
    provider.close();
    await workspace.remove();
  }
}

/** Sets these settings of the stack that is selected, those that end in `_api_key` as secrets. */
export async function configure(
  { must }: World,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const args = Object.entries(settings).flatMap(([name, value]) => [
    name.endsWith('_api_key') ? '--secret' : '--plaintext',
    `${name}=${value}`,
  ]);
  await must('config', 'set-all', ...args);
}

/** `pulumi up` without asking and without a preview before. */
export function up({ pulumi }: World, stack: string, ...more: string[]): Promise<Printed> {
  return pulumi('up', '--stack', stack, '--yes', '--skip-preview', ...more);
}

/** What was done, as `action name`, in the order of the alphabet. */
export function described(changes: readonly Change[]): string[] {
  return changes.map(({ action, name }) => `${action} ${name}`).sort();
}
