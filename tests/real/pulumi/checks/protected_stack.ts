import type { Account } from '../aws_provider/account.ts';
import { checkRemoval } from './removal.ts';
import { configure, described, up, type World } from './world.ts';

/** A stack that is not `dev`: what holds data stays until its owner says otherwise. */
export async function checkProtectedStack(world: World): Promise<void> {
  const { account, pulumi, must, checks } = world;
  await must('stack', 'init', 'prod');
  await configure(world, {
    'aws:region': 'us-east-1',
    openai_api_key: 'sk-key',
    pinecone_api_key: 'pcsk-key',
    pinecone_index_name: 'receipts',
  });
  const created = await up(world, 'prod');
  checks.that('prod: `up` succeeds', created.code === 0, () => created.all);
  checks.contains('prod: it says how to remove what is protected', created.all, [
    'npx pulumi config set --stack prod protect_data false; npx pulumi up --stack prod; npx pulumi destroy --stack prod',
  ]);
  account.takeChanges();

  const refused = await pulumi('destroy', '--stack', 'prod', '--yes');
  checks.that('prod: `destroy` refuses', refused.code !== 0, () => refused.all);
  checks.contains('prod: it names the table and the buckets', refused.all, [
    '(receipts-table)',
    '(chromadb-',
    '(batch-',
    '(vector-bucket)',
    'because it is protected',
  ]);
  checks.equal('prod: and has removed nothing', described(account.takeChanges()), []);

  const kept = keptResources(account);
  const forced = await pulumi('destroy', '--stack', 'prod', '--yes', '--skip-preview');
  checks.that('prod: without a preview `destroy` fails too', forced.code !== 0, () => forced.all);
  checks.equal(
    'prod: what holds data is there still, with all that keeps it safe',
    account.resources.map(({ name }) => name).sort(),
    kept,
  );
  const restored = await up(world, 'prod');
  checks.that('prod: and `up` brings the rest back', restored.code === 0, () => restored.all);
  account.takeChanges();

  await must('config', 'set', 'protect_data', 'false');
  const released = await up(world, 'prod');
  checks.that(
    'prod: with protect_data false `up` succeeds',
    released.code === 0,
    () => released.all,
  );
  checks.equal('prod: it changes what was protected alone', described(account.takeChanges()), [
    'update batch-bucket',
    'update chromadb-bucket',
    'update receipts-table',
    'update vector-bucket',
  ]);
  await checkRemoval(world, 'prod');
}

function keptResources({ resources }: Account): string[] {
  return resources
    .filter(({ type }) => /^aws:(dynamodb|s3)/.test(type))
    .map(({ name }) => name)
    .sort();
}
