import { readmeCommands } from './readme_commands.ts';
import type { World } from './world.ts';

/** `pulumi destroy` leaves nothing behind, whatever the buckets hold. */
export async function checkRemoval(
  { account, shell, must, checks }: World,
  stack: string,
): Promise<void> {
  for (const { id } of account.with('aws:s3/bucket:Bucket', {})) account.objects.set(id, 1_000);
  const [command = ''] = await readmeCommands('destroy --stack dev');
  const { code, all } = await shell(`${command.replace('dev', stack)} --yes`);
  checks.that(`${stack}: \`destroy\` succeeds`, code === 0, () => all);
  checks.equal(`${stack}: it leaves nothing in the account`, account.resources, []);
  checks.equal(`${stack}: and no name that is taken`, [...account.restorableSecrets], []);
  const { stdout } = await must('stack', 'export', '--stack', stack);
  const state = JSON.parse(stdout) as { deployment: { resources?: readonly unknown[] } };
  checks.equal(`${stack}: nor in the state`, state.deployment.resources ?? [], []);
}
