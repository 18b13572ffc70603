import { LONGEST_STACK_NAME } from '../../../../components/names.ts';
import { checkRemoval } from './removal.ts';
import { configure, up, type World } from './world.ts';

/** The longest name of a stack, with everything that can be deployed; the first `up` dies in the middle. */
export async function checkLongestName(world: World): Promise<void> {
  const { account, must, checks } = world;
  const stack = 's'.repeat(LONGEST_STACK_NAME);
  await createStack(world, stack);
  account.failCreationOf(/^submit-batch-policy$/);
  const died = await up(world, stack);
  account.failCreationOf(undefined);
  const { length: done } = account.resources;
  checks.that(
    'an `up` that AWS fails in the middle fails',
    died.code !== 0 && done > 0,
    () => died.all,
  );
  checks.contains('it says what failed', died.all, ['submit-batch-policy', 'InternalServerError']);
  account.takeChanges();
  const finished = await up(world, stack);
  checks.that('the next `up` finishes it', finished.code === 0, () => finished.all);
  const changes = account.takeChanges();
  checks.that(
    'it only creates what was missing',
    changes.length > 0 && changes.every(({ action }) => action === 'create'),
    () => JSON.stringify(changes),
  );
  const { code } = await up(world, stack, '--expect-no-changes');
  checks.equal('after which nothing is left to do', code, 0);
  const longest = account
    .with('aws:lambda/function:Function', {})
    .map(({ state }) => String(state['name']).length);
  checks.equal("the longest stack's name fills the name of a function", Math.max(...longest), 64);
  await checkRemoval(world, stack);

  await createStack(world, `${stack}s`);
  const { code: refused, all } = await up(world, `${stack}s`);
  checks.that('a stack with one character more is refused', refused !== 0, () => all);
  checks.contains('it says how long a name may be', all, [
    `it may have ${LONGEST_STACK_NAME} characters`,
  ]);
  checks.equal('and creates nothing', account.resources, []);
  await must('stack', 'rm', `${stack}s`, '--yes', '--force');

  await createStack(world, 'v1.2');
  const dotted = await up(world, 'v1.2');
  checks.that('a stack with a dot in its name is refused', dotted.code !== 0, () => dotted.all);
  const [command = ''] = /npx pulumi stack rename .*/.exec(dotted.all) ?? [];
  checks.equal('and nothing is made', account.resources, []);
  await must(...command.split(' ').slice(2));
  const renamed = await up(world, 'v1-2');
  checks.that('the command that it prints mends it', renamed.code === 0, () => renamed.all);
  await checkRemoval(world, 'v1-2');
}

async function createStack(world: World, stack: string): Promise<void> {
  await world.must('stack', 'init', stack);
  await configure(world, {
    'aws:region': 'us-east-1',
    openai_api_key: 'sk-key',
    google_places_api_key: 'key',
    pinecone_api_key: 'pcsk-key',
    pinecone_index_name: 'receipts',
    vector_stores: 's3_vectors,pinecone,chroma',
    chroma_http_endpoint: 'https://chroma.example.com',
    batch_poll_schedule: 'rate(15 minutes)',
    embed_on_arrival: 'true',
    realtime_schedule: 'rate(1 hour)',
    full_run_schedule: 'rate(1 day)',
    batch_submit_schedule: 'rate(1 day)',
    alert_email: 'someone@example.com',
    protect_data: 'false',
  });
}
