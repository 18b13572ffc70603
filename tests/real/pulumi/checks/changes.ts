import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Properties } from '../aws_provider/properties.ts';
import { described, up, type World } from './world.ts';

const FUNCTION = 'aws:lambda/function:Function';

/** A changed setting changes what depends on it and nothing else. */
export async function checkChanges(world: World): Promise<void> {
  const { account, must } = world;
  const namesOf = (type: string, where: (state: Properties) => boolean = () => true): string[] =>
    account.resources
      .filter((resource) => resource.type === type && where(resource.state))
      .map(({ name }) => name);
  const changed = async (title: string, expected: readonly string[]): Promise<void> => {
    const { code, all } = await up(world, 'dev');
    const changes = described(account.takeChanges());
    world.checks.that(
      `dev: ${title}`,
      code === 0 && changes.length > 0 && changes.join() === [...expected].sort().join(),
      () => `wanted: ${expected.join()}\nfound: ${changes.join()}\n${code === 0 ? '' : all}`,
    );
  };
  const set = (...args: string[]) => must('config', 'set', ...args);

  await set('max_concurrency', '20');
  await changed('max_concurrency changes the realtime state machine alone', [
    'update realtime-embedding-state-machine',
  ]);
  await set('log_retention_days', '60');
  await changed(
    'log_retention_days changes all log groups, and nothing else',
    namesOf('aws:cloudwatch/logGroup:LogGroup').map((name) => `update ${name}`),
  );
  await set('batch_poll_schedule', 'rate(15 minutes)');
  await changed('batch_poll_schedule adds a schedule with its role', [
    'create batch-poll-schedule',
    'create batch-poll-schedule-policy',
    'create batch-poll-schedule-role',
  ]);
  await set('batch_poll_schedule', 'rate(30 minutes)');
  await changed('another batch_poll_schedule changes the schedule alone', [
    'update batch-poll-schedule',
  ]);
  await set('alert_email', 'someone@example.com');
  await changed('alert_email adds a subscription', ['create alerts-email']);
  await edit(world, 'simple_lambdas/find_receipts_realtime/handler.ts');
  await changed("a function's code changes that function alone", [
    'update find-receipts-realtime-function',
  ]);
  await edit(world, 'layers/receipt_embedding/errors.ts');
  await changed('the code of the layer makes a new version, and functions that use it', [
    'create receipt-embedding-layer-version',
    'delete receipt-embedding-layer-version',
    ...namesOf(FUNCTION).map((name) => `update ${name}`),
  ]);
}

/** Another key: what only has the secret's ARN stays, in the preview too. */
export async function checkNewKey({ account, pulumi, must, checks }: World): Promise<void> {
  await must('config', 'set', '--secret', 'openai_api_key', 'sk-another-key');
  const { code, all } = await pulumi('up', '--stack', 'dev', '--yes');
  checks.equal(
    'dev: a new OpenAI key changes the value of its secret alone',
    described(account.takeChanges()),
    [
      'create receipt-embedding-openai-api-key-version',
      'delete receipt-embedding-openai-api-key-version',
    ],
  );
  checks.that(
    'dev: and the preview says just that',
    code === 0 && !all.includes('to update') && all.includes('+-1 to replace'),
    () => all,
  );
}

/** Lets a file of the project have another content. */
async function edit({ workspace }: World, file: string): Promise<void> {
  const path = join(workspace.folder, file);
  const content = await readFile(path, 'utf8');
  await writeFile(path, `${content}\nconsole.log('edited');\n`);
}
