import { beforeAll, describe, expect, it } from 'vitest';
import { type SecretName, SETTING_NAMES, type Settings } from '../../components/settings.ts';
import { rejection } from '../support/rejection.ts';
import { without } from '../support/without.ts';
import {
  OPENAI_KEY,
  PINECONE_KEY,
  type RecordedDeployment,
  runProgram,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: what each value must be (components/stack_settings.test.ts), and that `pulumi config` takes it.

/** All that can differ of a deployment, by resource. */
function picture({ registrations }: RecordedDeployment): ReadonlyMap<string, string> {
  return new Map(
    registrations.map(({ type, name, parent, wireInputs, protect }) => [
      `${type.split(':').at(-1) ?? ''} ${name}`,
      JSON.stringify([parent, wireInputs, protect]),
    ]),
  );
}

function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((name) => before.get(name) !== after.get(name)).sort();
}

const PROCESS = 'Function process-receipt-realtime-function';
const FIND = 'Function find-receipts-realtime-function';
const SUMMARIZE = 'Function summarize-execution-function';
const MACHINE = 'StateMachine realtime-embedding-state-machine';

const SUBMIT_MACHINE = 'StateMachine batch-submit-embedding-state-machine';
const POLL_MACHINE = 'StateMachine batch-poll-embedding-state-machine';

const functionsOf = (names: readonly string[]): string[] =>
  names.map((name) => `Function ${name}-function`);
const policiesOf = (names: readonly string[]): string[] =>
  names.map((name) => `RolePolicy ${name}-policy`);
const bucketOf = (name: string): string[] => [
  `Bucket ${name}-bucket`,
  `BucketLifecycleConfiguration ${name}-lifecycle`,
  `BucketPolicy ${name}-tls-only`,
  `BucketPublicAccessBlock ${name}-privacy`,
  `BucketServerSideEncryptionConfiguration ${name}-encryption`,
  `BucketVersioning ${name}-versioning`,
];
const scheduleOf = (name: string): string[] => [
  `Role ${name}-schedule-role`,
  `RolePolicy ${name}-schedule-policy`,
  `Schedule ${name}-schedule`,
  `ServiceRole ${name}-schedule`,
];

/** The functions beside the realtime path's that use the table, OpenAI, the model, the batch bucket. */
const ON_TABLE = [
  'download-batch-results',
  'get-batch-status',
  'list-pending-batches',
  'log-batch-results',
  'mark-batch-complete',
  'plan-batches',
  'record-batch-failure',
  'release-batch',
  'submit-batch',
  'take-execution-lock',
  'upsert-to-pinecone',
  'upsert-to-s3-vectors',
  'write-results-to-dynamo',
];
const ON_OPENAI = [
  'download-batch-results',
  'get-batch-status',
  'mark-batch-complete',
  'release-batch',
  'submit-batch',
];
const WITH_MODEL = [
  'log-batch-results',
  'plan-batches',
  'search-receipts',
  'submit-batch',
  'upsert-to-pinecone',
  'upsert-to-s3-vectors',
];
/** The functions that handle all stores, beside process-receipt-realtime. */
const WITH_STORES = ['log-batch-results', 'plan-batches', 'search-receipts'];
/** Another model has other indexes, which roles name; the older ones are no longer the program's. */
const indexesOf = (model: string): string[] => [
  `Stash vector-${model}-suffix`,
  `VectorsIndex lines-${model}-index`,
  `VectorsIndex words-${model}-index`,
];
const ON_INDEXES = policiesOf([
  'process-receipt-realtime',
  'search-receipts',
  'upsert-to-s3-vectors',
]);
const ON_BUCKET = ON_TABLE.filter(
  (name) => !['get-batch-status', 'record-batch-failure', 'take-execution-lock'].includes(name),
);
const REALTIME_ON_TABLE = ['find-receipts-realtime', 'process-receipt-realtime'];

const KEY_ARN = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const IN_VPC = { vpc_subnet_ids: 'subnet-0a1b2c3d', vpc_security_group_ids: 'sg-0a1b2c3d' };

interface Effect {
  readonly value: string;
  /** What else is set, before and after. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Every resource that is not what it was, and no other. */
  readonly changes: readonly string[];
}

const EFFECTS: Readonly<Record<keyof Settings, Effect>> = {
  dynamodb_table_name: {
    value: 'our-receipts',
    changes: [
      ...functionsOf([...ON_TABLE, ...REALTIME_ON_TABLE]),
      ...policiesOf([...ON_TABLE, ...REALTIME_ON_TABLE]),
      'Table receipts-table',
    ],
  },
  dynamodb_table_kms_key_arn: {
    value: KEY_ARN,
    beside: { dynamodb_table_name: 'our-receipts' },
    changes: policiesOf([...ON_TABLE, ...REALTIME_ON_TABLE]),
  },
  chromadb_bucket_name: {
    value: 'our-vectors',
    changes: [
      ...bucketOf('chromadb'),
      FIND,
      PROCESS,
      ...functionsOf(['log-batch-results']),
      ...policiesOf([
        ...REALTIME_ON_TABLE,
        'log-batch-results',
        'realtime-embedding',
        'summarize-execution',
      ]),
      MACHINE,
    ],
  },
  chromadb_bucket_kms_key_arn: {
    value: KEY_ARN,
    beside: { chromadb_bucket_name: 'our-vectors' },
    changes: policiesOf([
      ...REALTIME_ON_TABLE,
      'log-batch-results',
      'realtime-embedding',
      'summarize-execution',
    ]),
  },
  batch_bucket_name: {
    value: 'our-batches',
    changes: [
      ...bucketOf('batch'),
      ...functionsOf(ON_BUCKET),
      ...policiesOf([
        ...ON_BUCKET,
        'summarize-execution',
        'batch-poll-embedding',
        'batch-submit-embedding',
      ]),
      SUBMIT_MACHINE,
      POLL_MACHINE,
    ],
  },
  batch_bucket_kms_key_arn: {
    value: KEY_ARN,
    beside: { batch_bucket_name: 'our-batches' },
    changes: policiesOf([
      ...ON_BUCKET,
      'summarize-execution',
      'batch-poll-embedding',
      'batch-submit-embedding',
    ]),
  },
  openai_base_url: {
    value: 'https://openai.example/v1',
    changes: [PROCESS, ...functionsOf([...ON_OPENAI, 'search-receipts'])],
  },
  keep_openai_files: {
    value: 'true',
    changes: functionsOf(['mark-batch-complete', 'release-batch', 'submit-batch']),
  },
  embedding_model: {
    value: 'text-embedding-3-large',
    changes: [
      PROCESS,
      SUMMARIZE,
      // The last one for the dimensions, which are the model's own.
      ...functionsOf([...WITH_MODEL, 'download-batch-results']),
      ...indexesOf('text-embedding-3-small-1536'),
      ...indexesOf('text-embedding-3-large-3072'),
      ...ON_INDEXES,
    ],
  },
  embedding_dimensions: {
    value: '512',
    changes: [
      PROCESS,
      ...functionsOf([...WITH_MODEL, 'download-batch-results']),
      ...indexesOf('text-embedding-3-small-1536'),
      ...indexesOf('text-embedding-3-small-512'),
      ...ON_INDEXES,
    ],
  },
  vector_stores: {
    value: 'pinecone',
    changes: [
      PROCESS,
      ...functionsOf([...WITH_STORES, 'upsert-to-s3-vectors']),
      'EmbeddingFunction upsert-to-s3-vectors',
      'LogGroup upsert-to-s3-vectors-logs',
      'Role upsert-to-s3-vectors-role',
      'ServiceRole upsert-to-s3-vectors',
      ...ON_INDEXES,
      POLL_MACHINE,
      'RolePolicy batch-poll-embedding-policy',
      ...indexesOf('text-embedding-3-small-1536'),
      'Stash vector-suffix',
      'VectorBucket vector',
      'VectorsVectorBucket vector-bucket',
      'Dashboard dashboard',
      ...['execution', 'failures', 'receipt', 'batch'].map(
        (query) => `QueryDefinition log-query-${query}`,
      ),
      ...['duration', 'errors', 'throttles'].map(
        (what) => `MetricAlarm function-${what}-upsert-to-s3-vectors`,
      ),
    ],
  },
  chroma_http_endpoint: { value: 'https://chroma.example', changes: [PROCESS] },
  chroma_tenant: {
    value: 'our-tenant',
    beside: { chroma_http_endpoint: 'https://chroma.example' },
    changes: [PROCESS],
  },
  chroma_database: {
    value: 'our-database',
    beside: { chroma_http_endpoint: 'https://chroma.example' },
    changes: [PROCESS],
  },
  pinecone_index_name: {
    value: 'our-index',
    changes: [PROCESS, ...functionsOf([...WITH_STORES, 'upsert-to-pinecone'])],
  },
  pinecone_host: {
    value: 'https://our-index.svc.example',
    changes: [PROCESS, ...functionsOf([...WITH_STORES, 'upsert-to-pinecone'])],
  },
  vpc_subnet_ids: {
    value: 'subnet-0a1b2c3d4e5f60718,subnet-1b2c3d4e5f6071829',
    beside: { ...IN_VPC, chroma_http_endpoint: 'https://chroma.example' },
    changes: [PROCESS],
  },
  vpc_security_group_ids: {
    value: 'sg-1b2c3d4e5f6071829',
    beside: { ...IN_VPC, pinecone_host: 'https://our-index.svc.example' },
    changes: [PROCESS, ...functionsOf([...WITH_STORES, 'upsert-to-pinecone'])],
  },
  max_concurrency: { value: '11', changes: [MACHINE] },
  child_execution_type: { value: 'EXPRESS', changes: [MACHINE] },
  batch_max_tokens: { value: '5000', changes: functionsOf(['plan-batches']) },
  batch_max_concurrency: { value: '6', changes: [SUBMIT_MACHINE, POLL_MACHINE] },
  batch_compaction_runs: { value: 'true', changes: functionsOf(['log-batch-results']) },
  embed_on_arrival: {
    value: 'true',
    changes: [
      'ArrivalQueues arrival-queues',
      'ArrivalSources arrival-sources',
      'Dashboard dashboard',
      ...['note-arrivals', 'start-arrivals'].flatMap((name) => [
        `EmbeddingFunction ${name}`,
        `Function ${name}-function`,
        `LogGroup ${name}-logs`,
        ...['duration', 'errors', 'throttles'].map(
          (what) => `MetricAlarm function-${what}-${name}`,
        ),
        `Role ${name}-role`,
        `RolePolicy ${name}-policy`,
        `ServiceRole ${name}`,
      ]),
      'EventSourceMapping arrivals-source',
      'EventSourceMapping table-stream-source',
      ...['arrivals-failed', 'arrivals-late-queue', 'arrivals-late-stream', 'invalid-rows'].map(
        (name) => `MetricAlarm ${name}`,
      ),
      ...['batch', 'execution', 'failures', 'receipt'].map(
        (name) => `QueryDefinition log-query-${name}`,
      ),
      ...['arrivals', 'failed-arrivals'].flatMap((name) => [
        `Queue ${name}-queue`,
        `QueuePolicy ${name}-tls-only`,
      ]),
    ],
  },
  arrival_quiet_seconds: {
    value: '60',
    beside: { embed_on_arrival: 'true' },
    changes: ['Queue arrivals-queue'],
  },
  realtime_schedule: { value: 'rate(5 minutes)', changes: scheduleOf('realtime') },
  full_run_schedule: { value: 'cron(0 3 * * ? *)', changes: scheduleOf('full-run') },
  batch_submit_schedule: { value: 'rate(1 day)', changes: scheduleOf('batch-submit') },
  batch_poll_schedule: { value: 'rate(15 minutes)', changes: scheduleOf('batch-poll') },
  tolerated_failure_percentage: { value: '11', changes: [MACHINE, SUBMIT_MACHINE, POLL_MACHINE] },
  log_retention_days: {
    value: '60',
    changes: [
      ...ON_TABLE,
      ...REALTIME_ON_TABLE,
      'search-receipts',
      'summarize-execution',
      'batch-poll-embedding',
      'batch-submit-embedding',
      'realtime-embedding',
    ].map((name) => `LogGroup ${name}-logs`),
  },
  alert_email: { value: 'ops@example.com', changes: ['TopicSubscription alerts-email'] },
  protect_data: {
    value: 'true',
    changes: [
      ...['batch', 'chromadb'].flatMap((bucket) => [
        `Bucket ${bucket}-bucket`,
        `BucketLifecycleConfiguration ${bucket}-lifecycle`,
        `BucketPolicy ${bucket}-tls-only`,
        `BucketPublicAccessBlock ${bucket}-privacy`,
        `BucketServerSideEncryptionConfiguration ${bucket}-encryption`,
        `BucketVersioning ${bucket}-versioning`,
      ]),
      'Table receipts-table',
      'Stash vector-suffix',
      'VectorsVectorBucket vector-bucket',
    ],
  },
};

/** Google's key and Chroma's token are those that the stack has not had before: each adds a secret, and who may read it. */
const SECRET_EFFECTS: Readonly<Record<SecretName, readonly string[]>> = {
  openai_api_key: ['SecretVersion receipt-embedding-openai-api-key-version'],
  pinecone_api_key: ['SecretVersion receipt-embedding-pinecone-api-key-version'],
  chroma_token: [
    'ApiKeySecret receipt-embedding-chroma-token',
    PROCESS,
    'RolePolicy process-receipt-realtime-policy',
    'Secret receipt-embedding-chroma-token-secret',
    'SecretVersion receipt-embedding-chroma-token-version',
  ],
  google_places_api_key: [
    'ApiKeySecret receipt-embedding-google-places-api-key',
    PROCESS,
    'RolePolicy process-receipt-realtime-policy',
    'Secret receipt-embedding-google-places-api-key-secret',
    'SecretVersion receipt-embedding-google-places-api-key-version',
  ],
};

describe('each setting', () => {
  let before: ReadonlyMap<string, string>;

  beforeAll(async () => {
    before = picture(await runProgram(WITH_PINECONE));
  });

  it.each(Object.entries(EFFECTS))(
    '%s changes what it is about, and nothing else',
    async (name, { value, beside, changes }) => {
      const set = { ...WITH_PINECONE.config, ...beside };
      const without =
        beside === undefined
          ? before
          : picture(await runProgram({ ...WITH_PINECONE, config: set }));
      const config = { ...set, [name]: value };
      const after = picture(await runProgram({ ...WITH_PINECONE, config }));
      expect(differences(without, after)).toStrictEqual([...changes].sort());
    },
  );

  it.each(Object.entries(SECRET_EFFECTS))(
    '%s changes its secret, and nothing else',
    async (name, changes) => {
      const secrets = { ...WITH_PINECONE.secrets, [name]: 'another' };
      const config = {
        ...WITH_PINECONE.config,
        ...(name === 'chroma_token' ? { chroma_http_endpoint: 'https://chroma.example' } : {}),
      };
      const without =
        name === 'chroma_token' ? picture(await runProgram({ ...WITH_PINECONE, config })) : before;
      const after = picture(await runProgram({ config, secrets }));
      expect(differences(without, after)).toStrictEqual(changes);
    },
  );

  it('counts as missing when it is empty, but for the stores: there is no stack without one', async () => {
    const empty = Object.fromEntries(SETTING_NAMES.map((name) => [name, '']));
    const { message } = await rejection(
      runProgram({ ...WITH_PINECONE, config: { ...empty, ...WITH_PINECONE.config } }),
    );
    expect(message).toBe(
      "the stack's configuration has 1 problem:\n" +
        '  - vector_stores is empty (without a store, no line or word could be SUCCESS): ' +
        'npx pulumi config set --stack dev vector_stores s3_vectors',
    );
    const config = { ...without(empty, 'vector_stores'), ...WITH_PINECONE.config };
    const after = picture(await runProgram({ ...WITH_PINECONE, config }));
    expect(differences(before, after)).toStrictEqual([]);
  });
});

describe('a stack whose configuration is wrong', () => {
  it('is refused with every problem at once, each with the command that corrects it', async () => {
    const { name, message } = await rejection(
      runProgram({
        config: {
          max_concurrency: '0',
          log_retention_days: '31',
          embedding_model: 'ada',
          max_concurency: '5',
        },
        secrets: { openai_api_key: '', pinecone_api_key: PINECONE_KEY },
      }),
    );

    expect(name).toBe('InvalidSettings');
    const [head, ...problems] = message.split('\n');
    expect(head).toBe("the stack's configuration has 6 problems:");
    expect(problems.map((problem) => problem.replace(/ \(.*\)/, ''))).toStrictEqual([
      '  - openai_api_key is not set: npx pulumi config set --stack dev --secret openai_api_key',
      '  - pinecone_api_key is set, but pinecone_index_name is not: ' +
        'npx pulumi config set --stack dev pinecone_index_name receipts',
      '  - max_concurency is no setting: npx pulumi config rm --stack dev max_concurency',
      '  - embedding_model is wrong: npx pulumi config set --stack dev embedding_model text-embedding-3-small',
      '  - max_concurrency is wrong: npx pulumi config set --stack dev max_concurrency 20',
      '  - log_retention_days is wrong: npx pulumi config set --stack dev log_retention_days 90',
    ]);
  });

  it('registers nothing', async () => {
    const registered = await registrationsOf({ max_concurrency: 'many' });
    expect(registered).toStrictEqual([]);
  });
});

describe('a key that is set without --secret', () => {
  it("is refused, since anybody can read it in the stack's file", async () => {
    const { message } = await rejection(
      runProgram({ config: { openai_api_key: OPENAI_KEY }, secrets: {} }),
    );
    expect(message).toBe(
      "the stack's configuration has 1 problem:\n  - openai_api_key is in the stack's file as plain text: " +
        'npx pulumi config set --stack dev --secret openai_api_key',
    );
  });
});

async function registrationsOf(config: Record<string, string>): Promise<string[]> {
  const seen: string[] = [];
  await rejection(runProgram({ config }, ({ name }) => seen.push(name)));
  return seen;
}
