import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ACCOUNT_ID } from '../aws_provider/account.ts';
import { configure, described, up, type World } from './world.ts';

const FUNCTIONS = ['note-arrivals', 'start-arrivals'];

/** `embed_on_arrival` adds two queues, two functions and what feeds them; without it all of that goes. */
export async function checkArrivals(world: World): Promise<void> {
  const { account, must, checks } = world;
  await must('config', 'set', 'embed_on_arrival', 'true');
  const on = await up(world, 'dev');
  checks.that('dev: embed_on_arrival may be set', on.code === 0, () => on.all);
  const changes = account.takeChanges();
  const added = changes.filter(({ action }) => action === 'create').map(({ name }) => name);
  checks.equal(
    'dev: it adds queues, functions and their sources',
    added.filter((name) => !/^(function-|arrivals-(late|failed))/.test(name)).sort(),
    [
      ...['arrivals', 'failed-arrivals'].flatMap((name) => [`${name}-queue`, `${name}-tls-only`]),
      ...['arrivals-source', 'table-stream-source'],
      ...FUNCTIONS.flatMap((name) =>
        ['function', 'logs', 'policy', 'role'].map((what) => `${name}-${what}`),
      ),
    ].sort(),
  );
  const isWatching = ({ type }: { readonly type: string }): boolean =>
    /^aws:cloudwatch\/(dashboard|queryDefin|metricAlarm)/.test(type);
  checks.equal(
    'dev: and touches nothing else but what watches and shows',
    described(changes.filter((change) => change.action !== 'create' && !isWatching(change))),
    [],
  );
  const again = await up(world, 'dev', '--expect-no-changes');
  checks.that('dev: after which nothing is left to do', again.code === 0, () => again.all);
  await must('config', 'set', 'arrival_quiet_seconds', '60');
  const longer = await up(world, 'dev');
  checks.that('dev: receipts may wait longer', longer.code === 0, () => longer.all);
  checks.equal('dev: which changes the queue alone', described(account.takeChanges()), [
    'update arrivals-queue',
  ]);
  for (const name of ['arrival_quiet_seconds', 'embed_on_arrival'])
    await must('config', 'rm', name);
  const off = await up(world, 'dev');
  checks.that('dev: without it', off.code === 0, () => off.all);
  checks.equal(
    'dev: all of it goes, and nothing else',
    described(account.takeChanges().filter(({ action }) => action !== 'update')),
    added.map((name) => `delete ${name}`).sort(),
  );
}

const TABLE = 'aws:dynamodb/table:Table';

/**
 * An adopted table feeds arrivals where it has a stream of old and new images that has room for a reader.
 *
 * @param form the table's, as it must be.
 */
export async function checkAdoptedStream(world: World, form: object): Promise<void> {
  const { account, must, checks } = world;
  const table = async (stream: object): Promise<void> => {
    for (const { id } of account.with(TABLE, { name: 'our-stream' }))
      await account.delete(TABLE, id);
    await account.create(TABLE, 'by hand', { name: 'our-stream', ...form, ...stream });
    account.takeChanges();
  };
  await must('stack', 'init', 'arriving');
  await configure(world, {
    'aws:region': 'us-east-1',
    dynamodb_table_name: 'our-stream',
    embed_on_arrival: 'true',
    protect_data: 'false',
    openai_api_key: 'sk-key',
  });
  const refused = async (what: string, stream: object, words: readonly string[]): Promise<void> => {
    await table(stream);
    const { code, all } = await up(world, 'arriving');
    checks.that(`an adopted table ${what} is refused`, code !== 0, () => all);
    checks.contains('with the ways out', all, [...words, 'realtime_schedule']);
    checks.equal('and nothing is made', account.takeChanges(), []);
  };
  await refused('without a stream', {}, ['it has no stream', 'StreamEnabled=true']);
  await refused(
    'whose stream has keys alone',
    { streamEnabled: true, streamViewType: 'KEYS_ONLY' },
    ['its stream has KEYS_ONLY of a row', 'StreamEnabled=false'],
  );
  const whole = { streamEnabled: true, streamViewType: 'NEW_AND_OLD_IMAGES' };
  const lambda = await serveMappings(['compactor', 'search']);
  try {
    world.environment['AWS_ENDPOINT_URL_LAMBDA'] = lambda.url;
    await refused('whose stream is taken', whole, ['2 readers already', 'compactor, search']);
    lambda.readers.pop();
    const { code, all } = await up(world, 'arriving');
    checks.that('one with room for a reader is adopted', code === 0, () => all);
    const [mapping] = account.with('aws:lambda/eventSourceMapping:EventSourceMapping', {
      startingPosition: 'TRIM_HORIZON',
    });
    checks.contains('and its stream is read', String(mapping?.state['eventSourceArn']), [
      ':table/our-stream/stream/',
    ]);
    lambda.readers.push('embedding-note-arrivals-lambda-arriving');
    const again = await up(world, 'arriving', '--expect-no-changes');
    checks.that('the stack’s own reader is no obstacle', again.code === 0, () => again.all);
    await must('destroy', '--stack', 'arriving', '--yes', '--skip-preview');
  } finally {
    delete world.environment['AWS_ENDPOINT_URL_LAMBDA'];
    await lambda.close();
  }
  for (const { id } of account.with(TABLE, { name: 'our-stream' })) await account.delete(TABLE, id);
  account.takeChanges();
}

/** A Lambda whose streams have these readers. */
async function serveMappings(readers: string[]): Promise<{
  readonly url: string;
  readonly readers: string[];
  readonly close: () => Promise<unknown>;
}> {
  const server = createServer((_, response) => {
    const EventSourceMappings = readers.map((name) => ({
      FunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT_ID}:function:${name}`,
    }));
    response.end(JSON.stringify({ EventSourceMappings }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    readers,
    close: () => {
      server.closeAllConnections();
      return once(server.close(), 'close');
    },
  };
}
