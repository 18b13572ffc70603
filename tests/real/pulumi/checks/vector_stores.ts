import type { Change } from '../aws_provider/account.ts';
import { readmeCommands } from './readme_commands.ts';
import { described, up, type World } from './world.ts';

const FUNCTION = 'aws:lambda/function:Function';
const INDEX = 'aws:s3/vectorsIndex:VectorsIndex';

/** With Pinecone's settings it becomes a store beside S3 Vectors. Gives the names of what is created. */
export async function checkPineconeAdded(world: World): Promise<readonly string[]> {
  const { account, shell, must, checks } = world;
  // Pulumi asks for the key.
  for (const command of await readmeCommands('pinecone_api_key')) await shell(command, 'pcsk-key');
  const { code, all } = await up(world, 'dev');
  checks.that("dev: with Pinecone's settings it is a store", code === 0, () => all);
  const changes = account.takeChanges();
  const created = changes.filter(({ action }) => action === 'create');
  checks.equal(
    'dev: its function and its key are made',
    created
      .map(({ name }) => name)
      .filter((name) => /-(function|secret)$/.test(name))
      .sort(),
    ['receipt-embedding-pinecone-api-key-secret', 'upsert-to-pinecone-function'],
  );
  checks.equal(
    'dev: and nothing else is touched but what writes to stores, asks them, shows or watches it',
    described(changes.filter((change) => !created.includes(change) && !concernsStores(change))),
    [],
  );
  const { stdout } = await must('stack', 'output', 'vector_stores', '--stack', 'dev');
  checks.equal('dev: the output names both', stdout.trim(), 's3_vectors,pinecone');
  return created.map(({ name }) => name);
}

/**
 * Without them it goes.
 *
 * @param added what has come with it.
 */
export async function checkPineconeRemoved(world: World, added: readonly string[]): Promise<void> {
  const { account, must, checks } = world;
  for (const name of ['pinecone_api_key', 'pinecone_index_name']) await must('config', 'rm', name);
  const { code, all } = await up(world, 'dev');
  checks.that("dev: without Pinecone's settings it is no store", code === 0, () => all);
  checks.equal(
    'dev: all of it goes, and nothing else',
    described(account.takeChanges().filter((change) => !concernsStores(change))),
    added.map((name) => `delete ${name}`).sort(),
  );
}

/** Another model has other indexes; the older ones stay, and are no obstacle to whoever returns. */
export async function checkModels(world: World): Promise<void> {
  const { account, must, checks } = world;
  const indexes = (): string[] =>
    account.with(INDEX, {}).map(({ state }) => String(state['indexName']));
  const [before] = [indexes()];
  const changed = async (title: string, model: string): Promise<void> => {
    await must('config', 'set', 'embedding_model', model);
    const { code, all } = await up(world, 'dev');
    checks.that(`dev: ${title}`, code === 0, () => all);
    const length = model.endsWith('large') ? 3_072 : 1_536;
    const readers = account.resources.filter(
      ({ type, state }) =>
        type === FUNCTION &&
        /"(EMBEDDING_(MODEL|DIMENSIONS)|S3_VECTORS_INDEX_SUFFIX)"/.test(
          JSON.stringify(state['environment']),
        ),
    );
    checks.equal(
      'dev: it makes two indexes, and changes who reads the model or has rights on them, nothing else',
      described(account.takeChanges()),
      [
        ...['lines', 'words'].map((collection) => `create ${collection}-${model}-${length}-index`),
        ...['process-receipt-realtime', 'search-receipts', 'upsert-to-s3-vectors'].map(
          (name) => `update ${name}-policy`,
        ),
        ...readers.map(({ name }) => `update ${name}`),
      ].sort(),
    );
  };
  await changed('embedding_model may be another', 'text-embedding-3-large');
  checks.equal(
    'dev: the older indexes are there still',
    before.filter((name) => !indexes().includes(name)),
    [],
  );
  await changed('embedding_model may be the first again', 'text-embedding-3-small');
  checks.equal('dev: under names of their own, beside the others', new Set(indexes()).size, 6);
}

/** S3 Vectors taken out of the list, and put back. */
export async function checkVectorStoresBothWays(world: World): Promise<void> {
  const { account, must, checks } = world;
  const vectors = (): string[] =>
    account.resources.filter(({ type }) => type.startsWith('aws:s3/vectors')).map(({ id }) => id);
  const before = vectors();
  await must('config', 'set', 'vector_stores', 'pinecone');
  const without = await up(world, 'dev');
  checks.that('dev: vector_stores may leave S3 Vectors out', without.code === 0, () => without.all);
  checks.equal('dev: in dev its bucket goes, with every index that it has', vectors(), []);
  account.takeChanges();
  await must('config', 'set', 'vector_stores', 's3_vectors,pinecone');
  const again = await up(world, 'dev');
  checks.that('dev: and take it in again', again.code === 0, () => again.all);
  checks.equal(
    'dev: with a bucket and indexes of other names',
    [vectors().length, before.filter((id) => vectors().includes(id))],
    [3, []],
  );
  const { code, all } = await up(world, 'dev', '--expect-no-changes');
  checks.that('dev: after which nothing is left to do', code === 0, () => all);
  await must('config', 'rm', 'vector_stores');
  account.takeChanges();
}

/** What handles all stores, or shows, watches or adds up everything. */
function concernsStores({ action, type, name }: Change): boolean {
  return (
    action === 'update' &&
    (/^aws:cloudwatch\/(dashboard|queryDefin)/.test(type) ||
      /^(log-batch-results|plan-batches|process-receipt-realtime|search-receipts)-(function|policy)$/.test(
        name,
      ) ||
      /^batch-poll-embedding-(state-machine|policy)$/.test(name))
  );
}
