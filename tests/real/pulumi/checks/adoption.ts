import { configure, up, type World } from './world.ts';

const TABLE = 'aws:dynamodb/table:Table';
const BUCKET = 'aws:s3/bucket:Bucket';

const keyed = (...names: readonly string[]): readonly object[] =>
  names.map((attributeName, at) => ({ attributeName, keyType: at === 0 ? 'HASH' : 'RANGE' }));

/** What functions need of a table. */
export const OUR_TABLE = {
  hashKey: 'PK',
  rangeKey: 'SK',
  globalSecondaryIndexes: [
    { name: 'GSI1', projectionType: 'ALL', keySchemas: keyed('GSI1PK', 'GSI1SK') },
    { name: 'GSI3', projectionType: 'ALL', keySchemas: keyed('GSI3PK', 'GSI3SK') },
    { name: 'GSITYPE', projectionType: 'KEYS_ONLY', keySchemas: keyed('TYPE') },
  ],
  ttl: { attributeName: 'time_to_live', enabled: true },
};

/** A table and a bucket that are there already are used, and left as they were. */
export async function checkAdoption(world: World): Promise<void> {
  const { account, pulumi, must, checks } = world;
  await must('stack', 'init', 'adopting');
  await configure(world, {
    'aws:region': 'us-east-1',
    dynamodb_table_name: 'our-receipts',
    chromadb_bucket_name: 'our-vectors',
    openai_api_key: 'sk-key',
  });
  const missing = await up(world, 'adopting');
  checks.that(
    'a table to adopt that is not there is refused',
    missing.code !== 0,
    () => missing.all,
  );
  checks.contains('by its name', missing.all, ['our-receipts']);
  await pulumi('destroy', '--stack', 'adopting', '--yes', '--skip-preview');

  const bare = await account.create(TABLE, 'by hand', { name: 'our-receipts', hashKey: 'PK' });
  account.takeChanges();
  const unsuitable = await up(world, 'adopting');
  checks.that(
    'a table without the indexes is refused',
    unsuitable.code !== 0,
    () => unsuitable.all,
  );
  checks.contains('with everything that is wrong, and what to do', unsuitable.all, [
    'its keys are PK, not PK and SK',
    'it has no index GSI1: aws dynamodb update-table --table-name our-receipts',
    'it has no index GSI3',
    'it has no index GSITYPE',
    'npx pulumi config rm --stack adopting dynamodb_table_name',
  ]);
  checks.equal('and nothing is made', account.takeChanges(), []);
  await account.delete(TABLE, bare.id);

  await account.create(TABLE, 'by hand', { name: 'our-receipts', ...OUR_TABLE });
  await account.create(BUCKET, 'by hand', { bucket: 'our-vectors' });
  account.objects.set('our-vectors', 5);
  account.takeChanges();
  const { code, all } = await up(world, 'adopting');
  checks.that('a stack adopts a table and a bucket', code === 0, () => all);
  const stores = account
    .takeChanges()
    .filter(({ type, name }) => /dynamodb|s3/.test(type) && !/^(batch|vector)-|-index$/.test(name));
  checks.equal('it creates none, and changes nothing of theirs', stores, []);
  // What it has made itself is protected, as in every stack but dev.
  await configure(world, { protect_data: 'false' });
  const unprotected = await up(world, 'adopting');
  checks.that(
    'with protect_data false `up` succeeds',
    unprotected.code === 0,
    () => unprotected.all,
  );
  await must('destroy', '--stack', 'adopting', '--yes', '--skip-preview');
  checks.equal(
    'its `destroy` leaves them, and nothing else',
    account.resources.map(({ id }) => id),
    ['our-receipts', 'our-vectors'],
  );
}
