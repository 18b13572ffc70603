import { configure, up, type World } from './world.ts';

const TABLE = 'aws:dynamodb/table:Table';
const BUCKET = 'aws:s3/bucket:Bucket';

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

  await account.create(TABLE, 'by hand', { name: 'our-receipts' });
  await account.create(BUCKET, 'by hand', { bucket: 'our-vectors' });
  account.objects.set('our-vectors', 5);
  account.takeChanges();
  const { code, all } = await up(world, 'adopting');
  checks.that('a stack adopts a table and a bucket', code === 0, () => all);
  const stores = account.takeChanges().filter(({ type }) => /dynamodb|s3/.test(type));
  checks.equal('it creates none, and changes nothing of theirs', stores, []);
  await must('destroy', '--stack', 'adopting', '--yes', '--skip-preview');
  checks.equal(
    'its `destroy` leaves them, and nothing else',
    account.resources.map(({ id }) => id),
    ['our-receipts', 'our-vectors'],
  );
}
