import type { Change } from '../aws_provider/account.ts';
import { readmeCommands } from './readme_commands.ts';
import { described, up, type World } from './world.ts';

/** With Pinecone's settings the batch path comes. Gives the names of what is created. */
export async function checkBatchPathAdded(world: World): Promise<readonly string[]> {
  const { account, shell, must, checks } = world;
  // Pulumi asks for the key.
  for (const command of await readmeCommands('pinecone_api_key')) await shell(command, 'pcsk-key');
  const { code, all } = await up(world, 'dev');
  checks.that("dev: with Pinecone's settings the batch path is created", code === 0, () => all);
  const changes = account.takeChanges();
  const created = changes.filter(({ action }) => action === 'create');
  checks.equal(
    'dev: and nothing else is touched but what shows or watches it',
    described(changes.filter((change) => !created.includes(change) && !isShowing(change))),
    [],
  );
  const { stdout } = await must('stack', 'output', '--json', '--stack', 'dev');
  checks.equal(
    'dev: its outputs are there',
    Object.keys(JSON.parse(stdout) as object)
      .filter((name) => name.startsWith('batch_'))
      .sort(),
    ['batch_bucket_name', 'batch_poll_sf_arn', 'batch_submit_sf_arn'],
  );
  return created.map(({ name }) => name);
}

/**
 * Without them it goes, with its files.
 *
 * @param added what has come with it.
 */
export async function checkBatchPathRemoved(world: World, added: readonly string[]): Promise<void> {
  const { account, must, checks } = world;
  for (const { id } of account.with('aws:s3/bucket:Bucket', {})) account.objects.set(id, 3);
  for (const name of ['pinecone_api_key', 'pinecone_index_name', 'batch_poll_schedule'])
    await must('config', 'rm', name);
  const { code, all } = await up(world, 'dev');
  checks.that("dev: without Pinecone's settings the batch path is removed", code === 0, () => all);
  checks.equal(
    'dev: all of it, and nothing else',
    described(account.takeChanges().filter((change) => !isShowing(change))),
    added.map((name) => `delete ${name}`).sort(),
  );
}

/** What exists without the batch path too, but shows, watches or adds up everything. */
function isShowing({ action, type, name }: Change): boolean {
  return (
    action === 'update' &&
    (/^aws:cloudwatch\/(dashboard|metricAlarm|queryDefin)/.test(type) ||
      name === 'summarize-execution-policy')
  );
}
