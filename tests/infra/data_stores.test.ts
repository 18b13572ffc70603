import { beforeAll, describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { without } from '../support/without.ts';
import {
  OPENAI_KEY,
  type RecordedDeployment,
  type Registration,
  resource,
  resourcesOf,
  runProgram,
  SUFFIX,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: that an adopted table has the indexes, and that AWS enforces these settings.

const TABLE = 'aws:dynamodb/table:Table';
const BUCKET = 'aws:s3/bucket:Bucket';
const NAME = 'receipt-embeddings-chromadb-bucket';
const VECTOR_BUCKET = 'aws:s3/vectorsVectorBucket:VectorsVectorBucket';
const INDEX = 'aws:s3/vectorsIndex:VectorsIndex';
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
    expect(resourcesOf(deployed, ENCRYPTION)).toMatchObject({
      'chromadb-encryption': {
        bucket: NAME,
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
      },
    });
    expect(resourcesOf(deployed, 'aws:s3/bucketVersioning:BucketVersioning')).toMatchObject({
      'chromadb-versioning': { bucket: NAME, versioningConfiguration: { status: 'Enabled' } },
    });
    expect(
      resourcesOf(deployed, 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock'),
    ).toMatchObject({
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
    expect(resourcesOf(deployed, LIFECYCLE)).toMatchObject({
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
    deployed = await runProgram(WITH_PINECONE);
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
      ...WITH_PINECONE,
      config: { ...WITH_PINECONE.config, batch_bucket_name: 'our-batches' },
    });
    expect(adopting.outputs['batch_bucket_name']).toBe('our-batches');
    const text = JSON.stringify(adopting.resources);
    expect(text).not.toContain('batch-bucket');
    expect(text).toContain('arn:aws:s3:::our-batches/batches/*/plan.jsonl');
    expect(text).toContain('arn:aws:s3:::our-batches/polls/*/results/*');
  });
});

describe('the vector bucket', () => {
  const indexesOf = (deployed: RecordedDeployment) =>
    Object.values(resourcesOf(deployed, INDEX)).map((inputs) => without(inputs, 'tags'));

  it('has an index for lines and one for words: cosine, of the model’s length, with what is not filtered on', async () => {
    const deployed = await runProgram();
    const bucket = `receipt-embedding-dev-${SUFFIX}`;
    expect(resource(deployed, VECTOR_BUCKET, 'vector-bucket')['vectorBucketName']).toBe(bucket);
    expect(indexesOf(deployed)).toStrictEqual(
      ['lines', 'words'].map((collection) => ({
        vectorBucketName: bucket,
        indexName: `${collection}-text-embedding-3-small-1536-${SUFFIX}`,
        dataType: 'float32',
        dimension: 1536,
        distanceMetric: 'cosine',
        metadataConfiguration: {
          nonFilterableMetadataKeys: [
            'text',
            'prev_line',
            'next_line',
            'left',
            'right',
            'normalized_full_address',
            'label_proposed_by',
            'label_validated_at',
          ],
        },
      })),
    );
  });

  it('has other indexes for another model, under names of their own, and forgets none by deleting it', async () => {
    const small = await runProgram();
    const large = await runProgram({ config: { embedding_model: 'text-embedding-3-large' } });
    const names = (deployed: RecordedDeployment) => Object.keys(resourcesOf(deployed, INDEX));
    expect(names(large)).toStrictEqual([
      'lines-text-embedding-3-large-3072-index',
      'words-text-embedding-3-large-3072-index',
    ]);
    expect(names(small).filter((name) => names(large).includes(name))).toStrictEqual([]);
    const kept = [small, large].flatMap(({ registrations }) =>
      registrations
        .filter(({ type }) => type === INDEX)
        .map(({ retainOnDelete, protect }) => ({ retainOnDelete, protect })),
    );
    // Protected, an older one would let the next `up` fail.
    expect(kept).toStrictEqual(
      Array.from({ length: 4 }, () => ({ retainOnDelete: true, protect: false })),
    );
    const bucket = (of: RecordedDeployment) => resource(of, VECTOR_BUCKET, 'vector-bucket');
    expect(bucket(large)).toStrictEqual(bucket(small));
  });

  it('is not there in a stack without the store s3_vectors, nor is what names it', async () => {
    const deployed = await runProgram({
      ...WITH_PINECONE,
      config: { ...WITH_PINECONE.config, vector_stores: 'pinecone' },
    });
    expect(JSON.stringify([deployed.resources, deployed.outputs])).not.toMatch(
      /s3[-_]?vectors|VectorsIndex/i,
    );
  });

  it.each([
    ['il-central-1', {}, ' by default', 'pinecone'],
    [
      'me-south-1',
      { vector_stores: 's3_vectors,pinecone', pinecone_index_name: 'ours' },
      '',
      'pinecone',
    ],
  ])(
    'is refused in %s, where AWS has none, before anything is made',
    async (region, config, how, choice) => {
      const made: string[] = [];
      const secrets = {
        openai_api_key: OPENAI_KEY,
        ...('pinecone_index_name' in config ? WITH_PINECONE.secrets : {}),
      };
      const { name, message } = await rejection(
        runProgram({ region, config, secrets }, (registration) => made.push(registration.name)),
      );
      expect({ name, message, made }).toStrictEqual({
        name: 'RegionRefused',
        message:
          `Amazon S3 Vectors, which vector_stores has${how}, is not in ${region}. ` +
          `Use another store: npx pulumi config set --stack dev vector_stores ${choice}\n` +
          'What each of them needs is in docs/configuration.md, "Vector stores".',
        made: [],
      });
    },
  );

  it('is not asked of a region by a stack that does without it', async () => {
    const config = { ...WITH_PINECONE.config, vector_stores: 'pinecone' };
    const deployed = await runProgram({ ...WITH_PINECONE, config, region: 'il-central-1' });
    expect(deployed.outputs['vector_stores']).toBe('pinecone');
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
    const touched = deployed.resources.filter(
      ({ type, name }) =>
        /^aws:(s3|dynamodb)\//.test(type) &&
        !/^(batch|vector)-/.test(name) &&
        !name.endsWith('-index'),
    );
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
    expect([created(TABLE), created(BUCKET)]).toStrictEqual([
      [],
      ['chromadb-bucket', 'batch-bucket'],
    ]);
  });
});

/** What a deployment says, so that nobody has to find it out from a refusal. */
const protectedIn = (stack: string): string =>
  `what holds data is protected: to remove it, npx pulumi config set --stack ${stack} protect_data false; ` +
  `npx pulumi up --stack ${stack}; npx pulumi destroy --stack ${stack}`;

describe('what holds data', () => {
  it.each([
    { title: 'that was all adopted', config: { vector_stores: 'pinecone' }, said: [] },
    { title: 'that was adopted but for the vectors', config: {}, said: [protectedIn('prod')] },
    {
      title: 'that was adopted but for the batches’ bucket',
      config: { vector_stores: 'pinecone', batch_bucket_name: '' },
      said: [protectedIn('prod')],
    },
  ])('is spoken of where the stack has made any of it: $title', async ({ config, said }) => {
    const adopted = {
      dynamodb_table_name: 'our-receipts',
      chromadb_bucket_name: 'our-vectors',
      batch_bucket_name: 'our-batches',
    };
    const { messages } = await runProgram({
      stack: 'prod',
      ...WITH_PINECONE,
      config: { ...WITH_PINECONE.config, ...adopted, ...config },
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
      vectorBucket: registered(deployed, VECTOR_BUCKET)?.protect,
      vectorsForgotten: registered(deployed, VECTOR_BUCKET)?.retainOnDelete,
      vectorsRemoved: resource(deployed, VECTOR_BUCKET, 'vector-bucket')['forceDestroy'],
    }).toStrictEqual({
      table: kept,
      bucket: kept,
      deletionProtection: kept,
      emptiedFirst: !kept,
      vectorBucket: kept,
      vectorsForgotten: kept,
      vectorsRemoved: !kept,
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
            ...['batch', 'chromadb'].flatMap((bucket) =>
              ['bucket', 'encryption', 'lifecycle', 'privacy', 'tls-only', 'versioning'].map(
                (part) => `${bucket}-${part}`,
              ),
            ),
            'receipts-table',
            'vector-bucket',
            'vector-suffix',
          ]
        : [],
    );
  });
});
