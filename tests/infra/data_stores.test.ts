import { beforeAll, describe, expect, it } from 'vitest';
import { without } from '../support/without.ts';
import {
  type RecordedDeployment,
  type Registration,
  resource,
  resourcesOf,
  runProgram,
  WITH_BATCH_PATH,
} from './recorded_program.ts';

// Not proved here: that an adopted table has the indexes, and that AWS enforces these settings.

const TABLE = 'aws:dynamodb/table:Table';
const BUCKET = 'aws:s3/bucket:Bucket';
const NAME = 'receipt-embeddings-chromadb-bucket';
const ENCRYPTION =
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration';
const LIFECYCLE = 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration';

const index = (name: string): object => ({
  name,
  keySchemas: [
    { attributeName: `${name}PK`, keyType: 'HASH' },
    { attributeName: `${name}SK`, keyType: 'RANGE' },
  ],
  projectionType: 'ALL',
});

const registered = (
  { registrations }: RecordedDeployment,
  type: string,
): Registration | undefined => registrations.find((each) => each.type === type);

describe('a new table', () => {
  it('has the keys, indexes and safety that the data model asks for', async () => {
    const table = without(resource(await runProgram(), TABLE, 'receipts-table'), 'tags');

    expect(table).toStrictEqual({
      billingMode: 'PAY_PER_REQUEST',
      hashKey: 'PK',
      rangeKey: 'SK',
      attributes: [
        { name: 'PK', type: 'S' },
        { name: 'SK', type: 'S' },
        { name: 'GSI1PK', type: 'S' },
        { name: 'GSI1SK', type: 'S' },
        { name: 'GSI2PK', type: 'S' },
        { name: 'GSI2SK', type: 'S' },
        { name: 'GSI3PK', type: 'S' },
        { name: 'GSI3SK', type: 'S' },
        { name: 'TYPE', type: 'S' },
      ],
      globalSecondaryIndexes: [
        index('GSI1'),
        index('GSI2'),
        index('GSI3'),
        {
          name: 'GSITYPE',
          keySchemas: [{ attributeName: 'TYPE', keyType: 'HASH' }],
          projectionType: 'ALL',
        },
      ],
      pointInTimeRecovery: { enabled: true },
      serverSideEncryption: { enabled: true },
      streamEnabled: true,
      streamViewType: 'NEW_AND_OLD_IMAGES',
      ttl: { attributeName: 'time_to_live', enabled: true },
      deletionProtectionEnabled: false,
    });
  });
});

describe('a new bucket', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram();
  });

  it('is encrypted, versioned and private', () => {
    expect(resourcesOf(deployed, ENCRYPTION)).toStrictEqual({
      'chromadb-encryption': {
        bucket: NAME,
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
      },
    });
    expect(resourcesOf(deployed, 'aws:s3/bucketVersioning:BucketVersioning')).toStrictEqual({
      'chromadb-versioning': { bucket: NAME, versioningConfiguration: { status: 'Enabled' } },
    });
    expect(
      resourcesOf(deployed, 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock'),
    ).toStrictEqual({
      'chromadb-privacy': {
        bucket: NAME,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
    });
  });

  it('answers over TLS only', () => {
    const { bucket, policy } = resource(
      deployed,
      'aws:s3/bucketPolicy:BucketPolicy',
      'chromadb-tls-only',
    );
    expect(bucket).toBe(NAME);
    expect(JSON.parse(policy as string)).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: ['s3:*'],
          Resource: [`arn:aws:s3:::${NAME}`, `arn:aws:s3:::${NAME}/*`],
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    });
  });

  it('keeps deltas, and lets those that were deleted go, the files of a run and unfinished uploads', () => {
    expect(resourcesOf(deployed, LIFECYCLE)).toStrictEqual({
      'chromadb-lifecycle': {
        bucket: NAME,
        rules: [
          {
            id: 'abort-unfinished-uploads',
            status: 'Enabled',
            filter: { prefix: '' },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
          {
            id: 'expire-runs',
            status: 'Enabled',
            filter: { prefix: 'runs/' },
            expiration: { days: 30 },
            noncurrentVersionExpiration: { noncurrentDays: 30 },
          },
          ...['lines', 'words'].map((collection) => ({
            id: `expire-${collection}-delta-versions`,
            status: 'Enabled',
            filter: { prefix: `${collection}/delta/` },
            expiration: { expiredObjectDeleteMarker: true },
            noncurrentVersionExpiration: { noncurrentDays: 30 },
          })),
        ],
      },
    });
  });
});

describe('the batch bucket', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram(WITH_BATCH_PATH);
  });

  it('lets all that is in it go after 30 days', () => {
    const { rules } = resource(deployed, LIFECYCLE, 'batch-lifecycle');
    const expire = (what: string): object => ({
      id: `expire-${what}`,
      status: 'Enabled',
      filter: { prefix: `${what}/` },
      expiration: { days: 30 },
      noncurrentVersionExpiration: { noncurrentDays: 30 },
    });
    expect((rules as readonly object[]).slice(1)).toStrictEqual([
      expire('batches'),
      expire('submits'),
      expire('polls'),
    ]);
  });

  it("has the deltas' bucket's safe settings", () => {
    const settings = (which: string): unknown =>
      deployed.resources
        .filter(
          ({ type, name }) =>
            type.startsWith('aws:s3/') && name.startsWith(which) && !name.endsWith('lifecycle'),
        )
        .map(({ type, inputs }) => [
          type,
          JSON.parse(JSON.stringify(inputs).replaceAll(which, 'x')) as object,
        ])
        .sort();
    expect(settings('batch')).toHaveLength(5);
    expect(settings('batch')).toStrictEqual(settings('chromadb'));
  });

  it('may be one that exists already', async () => {
    const adopting = await runProgram({
      ...WITH_BATCH_PATH,
      config: { ...WITH_BATCH_PATH.config, batch_bucket_name: 'our-batches' },
    });
    expect(adopting.outputs['batch_bucket_name']).toBe('our-batches');
    const text = JSON.stringify(adopting.resources);
    expect(text).not.toContain('batch-bucket');
    expect(text).toContain('arn:aws:s3:::our-batches/batches/*/plan.jsonl');
    expect(text).toContain('arn:aws:s3:::our-batches/polls/*/results/*');
  });
});

describe('an adopted table and bucket', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram({
      config: { dynamodb_table_name: 'our-receipts', chromadb_bucket_name: 'our-vectors' },
    });
  });

  it('are not created, and nothing about them is changed', () => {
    const touched = deployed.resources.filter(({ type }) => /^aws:(s3|dynamodb)\//.test(type));
    expect(touched).toStrictEqual([]);
  });

  it('are what functions, permissions, workflow and outputs name', () => {
    const text = JSON.stringify(deployed.resources);
    expect(text).not.toContain('receipts-table');
    expect(text).not.toContain('chromadb-bucket');
    expect(text).toContain('arn:aws:dynamodb:us-east-1:123456789012:table/our-receipts/index/GSI1');
    expect(text).toContain('arn:aws:s3:::our-vectors/runs/*/receipts.jsonl');
    expect(deployed.outputs).toMatchObject({
      chromadb_bucket_name: 'our-vectors',
      dynamodb_table_name: 'our-receipts',
    });
  });

  it('may be one of the two: the other is made', async () => {
    const half = await runProgram({ config: { dynamodb_table_name: 'our-receipts' } });
    const created = (type: string): string[] => Object.keys(resourcesOf(half, type));
    expect([created(TABLE), created(BUCKET)]).toStrictEqual([[], ['chromadb-bucket']]);
  });
});

/** What a deployment says, so that nobody has to find it out from a refusal. */
const protectedIn = (stack: string): string =>
  `what holds data is protected: to remove it, npx pulumi config set --stack ${stack} protect_data false; ` +
  `npx pulumi up --stack ${stack}; npx pulumi destroy --stack ${stack}`;

describe('what holds data', () => {
  it.each([
    { title: 'that was all adopted', program: {}, said: [] },
    {
      title: 'that was adopted but for the batches’ bucket',
      program: WITH_BATCH_PATH,
      said: [protectedIn('prod')],
    },
  ])('is spoken of where the stack has made any of it: $title', async ({ program, said }) => {
    const adopted = { dynamodb_table_name: 'our-receipts', chromadb_bucket_name: 'our-vectors' };
    const { messages } = await runProgram({
      stack: 'prod',
      ...program,
      config: { ...('config' in program ? program.config : {}), ...adopted },
    });
    expect(messages.filter((text) => text.includes('protected'))).toStrictEqual(said);
  });

  it.each<{ title: string; stack: string; config: Record<string, string>; kept: boolean }>([
    { title: 'may be deleted in dev', stack: 'dev', config: {}, kept: false },
    { title: 'is kept elsewhere', stack: 'prod', config: {}, kept: true },
    {
      title: 'is kept in dev on demand',
      stack: 'dev',
      config: { protect_data: 'true' },
      kept: true,
    },
    {
      title: 'may be deleted elsewhere on demand',
      stack: 'prod',
      config: { protect_data: 'false' },
      kept: false,
    },
  ])('$title', async ({ stack, config, kept }) => {
    const deployed = await runProgram({ stack, config });

    expect({
      table: registered(deployed, TABLE)?.protect,
      bucket: registered(deployed, BUCKET)?.protect,
      deletionProtection: resource(deployed, TABLE, 'receipts-table')['deletionProtectionEnabled'],
      emptiedFirst: resource(deployed, BUCKET, 'chromadb-bucket')['forceDestroy'],
    }).toStrictEqual({
      table: kept,
      bucket: kept,
      deletionProtection: kept,
      emptiedFirst: !kept,
    });
    expect(deployed.messages.filter((text) => text.includes('protected'))).toStrictEqual(
      kept ? [protectedIn(stack)] : [],
    );
    expect(
      deployed.registrations
        .filter(({ protect }) => protect)
        .map(({ name }) => name)
        .sort(),
      'the table, the bucket, and what keeps it private',
    ).toStrictEqual(
      kept
        ? [
            'chromadb-bucket',
            'chromadb-encryption',
            'chromadb-lifecycle',
            'chromadb-privacy',
            'chromadb-tls-only',
            'chromadb-versioning',
            'receipts-table',
          ]
        : [],
    );
  });
});
