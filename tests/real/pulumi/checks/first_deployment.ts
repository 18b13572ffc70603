import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readmeCommands } from './readme_commands.ts';
import { up, type World } from './world.ts';

const OPENAI_KEY = 'sk-the-key-that-nobody-may-read';

/** A configuration with every kind of mistake. */
const MISTAKES = {
  openai_base_url: 'nowhere',
  max_concurrency: '0',
  max_concurency: '20',
  pinecone_index_name: 'receipts',
} as const;

/** From an empty account to a stack that stays as it is, with the README's commands. */
export async function checkFirstDeployment(world: World): Promise<void> {
  const [init = '', setKey = '', deploy = ''] = await readmeCommands('stack init dev');
  await world.shell(init);
  await checkMistakes(world);
  await checkPreview(world);
  for (const name of [...Object.keys(MISTAKES), 'pinecone_api_key', 'openai_api_key'])
    await world.must('config', 'rm', name);
  await world.shell(setKey, OPENAI_KEY);
  await checkUp(world, deploy);
  await checkOutputs(world);
  await checkSecrets(world);
  const { code, all } = await up(world, 'dev', '--expect-no-changes');
  world.checks.that('dev: a second `up` changes nothing', code === 0, () => all);
  world.checks.equal('dev: nor does it ask AWS for anything', world.account.takeChanges(), []);
}

async function checkMistakes({ account, shell, pulumi, must, checks }: World): Promise<void> {
  for (const [name, wrong] of Object.entries(MISTAKES)) await must('config', 'set', name, wrong);
  const { code, all } = await pulumi('up', '--stack', 'dev', '--yes');
  checks.that('dev: `up` with a wrong configuration fails', code !== 0, () => all);
  checks.equal('dev: and creates nothing', account.resources.length, 0);
  checks.that('dev: it shows no stack trace', !all.includes('node_modules'), () => all);
  const problems = all.matchAll(/^ *- (\w+) .*: (npx pulumi config .*)$/gm);
  const commands = new Map([...problems].map(([, name = '', command = '']) => [name, command]));
  checks.equal(
    'dev: it says every problem with the command that mends it',
    [...commands.keys()].sort(),
    [...Object.keys(MISTAKES), 'openai_api_key'].sort(),
  );
  for (const command of commands.values()) await shell(command, OPENAI_KEY);
}

/** With what was mended. */
async function checkPreview({ account, shell, checks }: World): Promise<void> {
  const { code, all } = await shell('npx pulumi preview --policy-pack policies');
  checks.that('dev: whoever types these commands has mended it all', code === 0, () => all);
  checks.contains('dev: the policy pack has looked at it', all, ['receipt-embeddings@v']);
  checks.that('dev: `preview` plans to create', /\+ \d+ to create/.test(all), () => all);
  checks.equal('dev: and creates nothing', account.resources.length, 0);
}

async function checkUp({ account, shell, checks }: World, deploy: string): Promise<void> {
  const { code, all } = await shell(`${deploy} --yes`);
  checks.that('dev: `up` succeeds', code === 0, () => all);
  const [, planned] = /\+ (\d+) to create/.exec(all) ?? [];
  checks.contains('dev: it creates as much as it planned', all, [`+ ${String(planned)} created`]);
  checks.that('dev: it does not show the OpenAI key', !all.includes(OPENAI_KEY), () => all);
  account.takeChanges();
}

async function checkOutputs({ account, must, checks }: World): Promise<void> {
  const { stdout } = await must('stack', 'output', '--json', '--stack', 'dev');
  const outputs = JSON.parse(stdout) as Record<string, string>;
  checks.equal('dev: the outputs are all there', Object.keys(outputs).sort(), [
    'alert_topic_arn',
    'batch_bucket_name',
    'batch_poll_sf_arn',
    'batch_submit_sf_arn',
    'chromadb_bucket_name',
    'dashboard_url',
    'dynamodb_table_name',
    'lines_vector_index_arn',
    'realtime_embedding_sf_arn',
    'search_function_name',
    'vector_bucket_arn',
    'vector_stores',
    'words_vector_index_arn',
  ]);
  const there = (type: string, property: string, output: string): boolean =>
    account.with(type, { [property]: outputs[output] }).length === 1;
  checks.that(
    'dev: what they name is there',
    there('aws:sfn/stateMachine:StateMachine', 'arn', 'realtime_embedding_sf_arn') &&
      there('aws:s3/bucket:Bucket', 'bucket', 'chromadb_bucket_name') &&
      there('aws:lambda/function:Function', 'name', 'search_function_name') &&
      there(
        'aws:s3/vectorsVectorBucket:VectorsVectorBucket',
        'vectorBucketArn',
        'vector_bucket_arn',
      ) &&
      there('aws:s3/vectorsIndex:VectorsIndex', 'indexArn', 'lines_vector_index_arn') &&
      there('aws:s3/vectorsIndex:VectorsIndex', 'indexArn', 'words_vector_index_arn') &&
      there('aws:dynamodb/table:Table', 'name', 'dynamodb_table_name') &&
      there('aws:sns/topic:Topic', 'arn', 'alert_topic_arn'),
    () => stdout,
  );
}

async function checkSecrets({ account, workspace, must, checks }: World): Promise<void> {
  const holding = account.resources.filter(({ state }) =>
    JSON.stringify(state).includes(OPENAI_KEY),
  );
  checks.equal(
    'dev: the OpenAI key is in Secrets Manager, and nowhere else in the account',
    holding.map(({ name }) => name),
    ['receipt-embedding-openai-api-key-version'],
  );
  const { stdout } = await must('stack', 'export', '--stack', 'dev');
  checks.that('dev: the state does not show it', !stdout.includes(OPENAI_KEY), () => stdout);
  const configuration = await readFile(join(workspace.folder, 'Pulumi.dev.yaml'), 'utf8');
  checks.that(
    'dev: nor does Pulumi.dev.yaml',
    !configuration.includes(OPENAI_KEY),
    () => configuration,
  );
}
