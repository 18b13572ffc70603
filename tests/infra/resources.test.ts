import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { STACK_FUNCTIONS, stackFunctions } from '../../components/stack_functions.ts';
import { rejection } from '../support/rejection.ts';
import {
  type RecordedDeployment,
  type Registration,
  resourcesOf,
  runProgram,
  SUFFIX,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: that AWS accepts these resources, that a name is free in an account, and that the engine would make them in this order.

const ALARM = 'aws:cloudwatch/metricAlarm:MetricAlarm';
const LONGEST_STACK = 'stack-of-22-characters';

const purposes = (functions: ReturnType<typeof stackFunctions>): string[] =>
  functions.map(({ name }) => name.replaceAll('_', '-')).sort();
const FUNCTIONS_OF_S3_VECTORS = purposes(
  stackFunctions({ vector_stores: ['s3_vectors'], embed_on_arrival: false }),
);
const FUNCTIONS = purposes(STACK_FUNCTIONS);
const WORKFLOWS = ['realtime', 'batch-submit', 'batch-poll'];

/** Everything that hangs under a parent, two more spaces for each generation. */
function tree(registrations: readonly Registration[], parent?: string, indent = ''): string[] {
  return registrations
    .filter((each) => each.parent === parent)
    .map(({ type, name }) => ({ line: `${indent}${type} ${name}`, key: `${type}::${name}` }))
    .sort((a, b) => (a.line < b.line ? -1 : 1))
    .flatMap(({ line, key }) => [line, ...tree(registrations, key, `${indent}  `)]);
}

const roleTree = (name: string): string[] => [
  `    receipts:iam:ServiceRole ${name}`,
  `      aws:iam/role:Role ${name}-role`,
  `      aws:iam/rolePolicy:RolePolicy ${name}-policy`,
];

const functionTree = (name: string): string[] => [
  `    receipts:lambda:EmbeddingFunction ${name}`,
  `      aws:cloudwatch/logGroup:LogGroup ${name}-logs`,
  `      aws:lambda/function:Function ${name}-function`,
  ...roleTree(name).map((line) => `  ${line}`),
];

const workflowTree = (name: string): string[] => [
  `    aws:cloudwatch/logGroup:LogGroup ${name}-logs`,
  `    aws:sfn/stateMachine:StateMachine ${name}-state-machine`,
  ...roleTree(name),
];

const bucketTree = (name: string): string[] => [
  `  receipts:data:PrivateBucket ${name}`,
  `    aws:s3/bucket:Bucket ${name}-bucket`,
  `    aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration ${name}-lifecycle`,
  `    aws:s3/bucketPolicy:BucketPolicy ${name}-tls-only`,
  `    aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock ${name}-privacy`,
  `    aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration ${name}-encryption`,
  `    aws:s3/bucketVersioning:BucketVersioning ${name}-versioning`,
];

const secretTree = (vendor: string): string[] => [
  `  receipts:secrets:ApiKeySecret receipt-embedding-${vendor}-api-key`,
  `    aws:secretsmanager/secret:Secret receipt-embedding-${vendor}-api-key-secret`,
  `    aws:secretsmanager/secretVersion:SecretVersion receipt-embedding-${vendor}-api-key-version`,
];

const VECTOR_BUCKET_TREE = [
  '  receipts:data:VectorBucket vector',
  '    aws:s3/vectorsIndex:VectorsIndex lines-text-embedding-3-small-1536-index',
  '    aws:s3/vectorsIndex:VectorsIndex words-text-embedding-3-small-1536-index',
  '    aws:s3/vectorsVectorBucket:VectorsVectorBucket vector-bucket',
  '    pulumi:index:Stash vector-suffix',
  '    pulumi:index:Stash vector-text-embedding-3-small-1536-suffix',
];

const ARRIVAL_TREE = [
  '  receipts:arrivals:ArrivalQueues arrival-queues',
  '    aws:sqs/queue:Queue arrivals-queue',
  '    aws:sqs/queue:Queue failed-arrivals-queue',
  '    aws:sqs/queuePolicy:QueuePolicy arrivals-tls-only',
  '    aws:sqs/queuePolicy:QueuePolicy failed-arrivals-tls-only',
  '  receipts:arrivals:ArrivalSources arrival-sources',
  '    aws:lambda/eventSourceMapping:EventSourceMapping arrivals-source',
  '    aws:lambda/eventSourceMapping:EventSourceMapping table-stream-source',
];
const ARRIVAL_ALARMS = ['arrivals-failed', 'arrivals-late-queue', 'arrivals-late-stream'];

const monitoringTree = (
  functions: readonly string[],
  workflows: readonly string[],
  kinds: readonly string[],
  queries: readonly string[],
): string[] => [
  '  receipts:monitoring:Monitoring monitoring',
  ...[
    'aws:cloudwatch/dashboard:Dashboard dashboard',
    'aws:sns/topic:Topic alerts-topic',
    'aws:sns/topicPolicy:TopicPolicy alerts-policy',
    ...workflows.flatMap((name) =>
      ['failed', 'throttled', 'timed-out'].map((what) => `${ALARM} executions-${what}-${name}`),
    ),
    ...functions.flatMap((name) =>
      ['duration', 'errors', 'throttles'].map((what) => `${ALARM} function-${what}-${name}`),
    ),
    ...kinds.map((kind) => `${ALARM} ${kind}`),
    ...queries.map((query) => `aws:cloudwatch/queryDefinition:QueryDefinition log-query-${query}`),
  ]
    .map((line) => `    ${line}`)
    .sort(),
];

const ALARM_KINDS = [
  'invalid-rows',
  'merchant-lookups-failed',
  'receipts-failed',
  'batches-failed',
  'batch-rows-failed',
  'oldest-pending-batch',
  'batches-parked',
];
const SCHEDULES = [
  'realtime-schedule',
  'full-run-schedule',
  'batch-submit-schedule',
  'batch-poll-schedule',
];
const QUERIES = ['execution', 'failures', 'receipt', 'batch'];

/** Everything that a setting adds. */
const EVERYTHING = {
  ...WITH_PINECONE,
  config: {
    ...WITH_PINECONE.config,
    vector_stores: 's3_vectors,pinecone,chroma',
    chroma_http_endpoint: 'https://chroma.example',
    embed_on_arrival: 'true',
    realtime_schedule: 'rate(1 hour)',
    full_run_schedule: 'rate(1 day)',
    batch_submit_schedule: 'rate(1 day)',
    batch_poll_schedule: 'rate(1 day)',
  },
};

/** The patterns of AWS's API references, by the property that has the name. */
const AWS_NAMES: Readonly<Record<string, readonly [property: string, rule: RegExp]>> = {
  'aws:cloudwatch/dashboard:Dashboard': ['dashboardName', /^[a-zA-Z0-9_-]{1,255}$/],
  'aws:cloudwatch/logGroup:LogGroup': ['name', /^[.\-_/#A-Za-z0-9]{1,512}$/],
  'aws:cloudwatch/metricAlarm:MetricAlarm': ['name', /^[\x20-\x7e]{1,255}$/],
  'aws:cloudwatch/queryDefinition:QueryDefinition': ['name', /^(?=.{1,255}$)([^:*/]+\/?)*[^:*/]+$/],
  'aws:iam/role:Role': ['name', /^[\w+=,.@-]{1,64}$/],
  'aws:iam/rolePolicy:RolePolicy': ['name', /^[\w+=,.@-]{1,128}$/],
  'aws:lambda/function:Function': ['name', /^[a-zA-Z0-9-_]{1,64}$/],
  'aws:lambda/layerVersion:LayerVersion': ['layerName', /^[a-zA-Z0-9-_]{1,140}$/],
  'aws:s3/vectorsIndex:VectorsIndex': ['indexName', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/],
  'aws:s3/vectorsVectorBucket:VectorsVectorBucket': [
    'vectorBucketName',
    /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  ],
  'aws:scheduler/schedule:Schedule': ['name', /^[0-9a-zA-Z-_.]{1,64}$/],
  'aws:secretsmanager/secret:Secret': ['name', /^[A-Za-z0-9/_+=.@-]{1,512}$/],
  'aws:sfn/stateMachine:StateMachine': ['name', /^[0-9A-Za-z_-]{1,80}$/],
  'aws:sns/topic:Topic': ['name', /^[A-Za-z0-9_-]{1,256}$/],
  'aws:sqs/queue:Queue': ['name', /^[A-Za-z0-9_-]{1,80}$/],
};

/** With OpenAI's key alone. */
let minimal: RecordedDeployment;
/** Outside dev, with a name of the length that just fits, and with everything that a setting adds. */
let everything: RecordedDeployment;

beforeAll(async () => {
  minimal = await runProgram();
  everything = await runProgram({ ...EVERYTHING, stack: LONGEST_STACK });
});

describe('the resources of a stack', () => {
  const workflow = (type: string, name: string, schedules: readonly string[]): string[] => {
    const [logs = '', machine = '', ...role] = workflowTree(`${name}-embedding`);
    return [
      `  receipts:workflow:${type} ${name}-embedding`,
      logs,
      ...schedules.map((stem) => `    aws:scheduler/schedule:Schedule ${stem}-schedule`),
      machine,
      ...[
        { stem: `${name}-embedding`, tree: role },
        ...schedules.map((stem) => ({
          stem: `${stem}-schedule`,
          tree: roleTree(`${stem}-schedule`),
        })),
      ]
        .sort((a, b) => (a.stem < b.stem ? -1 : 1))
        .flatMap(({ tree }) => tree),
    ];
  };
  /** @param alone whether the stack does anything by itself. */
  const treeOf = (functions: readonly string[], secrets: readonly string[], alone: boolean) => [
    'receipts:index:EmbeddingInfrastructure embeddings',
    ...(alone ? ARRIVAL_TREE : []),
    ...bucketTree('batch'),
    ...bucketTree('chromadb'),
    '  receipts:data:ReceiptTable receipts',
    '    aws:dynamodb/table:Table receipts-table',
    ...VECTOR_BUCKET_TREE,
    '  receipts:lambda:LambdaFunctions functions',
    '    aws:lambda/layerVersion:LayerVersion receipt-embedding-layer-version',
    ...functions.flatMap(functionTree),
    ...monitoringTree(
      functions,
      WORKFLOWS.map((name) => `${name}-embedding`),
      [...ALARM_KINDS, ...(alone ? ARRIVAL_ALARMS : [])],
      QUERIES,
    ),
    ...secrets.flatMap(secretTree),
    ...workflow('BatchPollWorkflow', 'batch-poll', alone ? ['batch-poll'] : []),
    ...workflow('BatchSubmitWorkflow', 'batch-submit', alone ? ['batch-submit'] : []),
    ...workflow('RealtimeEmbeddingWorkflow', 'realtime', alone ? ['full-run', 'realtime'] : []),
  ];

  it('with OpenAI’s key alone are exactly these, each under the component that made it', () => {
    expect(tree(minimal.registrations)).toStrictEqual(
      treeOf(FUNCTIONS_OF_S3_VECTORS, ['openai'], false),
    );
  });

  it('with every store, schedules and arrivals are these', () => {
    expect(tree(everything.registrations)).toStrictEqual(
      treeOf(FUNCTIONS, ['openai', 'pinecone'], true),
    );
  });

  it('have no orphan: each one is in the tree under the stack', () => {
    expect(tree(everything.registrations)).toHaveLength(everything.registrations.length);
    expect(everything.registrations).toHaveLength(everything.resources.length);
  });

  it('are components without inputs, which would lie in the state', () => {
    const components = everything.registrations.filter(({ type }) => type.startsWith('receipts:'));
    expect(components.filter(({ wireInputs }) => Object.keys(wireInputs).length > 0)).toStrictEqual(
      [],
    );
  });

  it('wait, where they use a role, a log or a secret, for its policy, for it, and for its value', () => {
    const missing = (name: string, type: string, needed: readonly string[]): string[] => {
      const user = everything.registrations.find(
        (each) => each.name === name && each.type.startsWith(type),
      );
      return needed.filter((each) => user?.dependencies.includes(each) !== true);
    };
    const policy = (name: string): string => `aws:iam/rolePolicy:RolePolicy::${name}-policy`;
    const log = (name: string): string => `aws:cloudwatch/logGroup:LogGroup::${name}-logs`;
    expect([
      ...FUNCTIONS.flatMap((name) =>
        missing(`${name}-function`, 'aws:lambda/', [policy(name), log(name)]),
      ),
      ...WORKFLOWS.map((name) => `${name}-embedding`).flatMap((name) =>
        missing(`${name}-state-machine`, 'aws:sfn/', [policy(name), log(name)]),
      ),
      ...SCHEDULES.flatMap((name) => missing(name, 'aws:scheduler/', [policy(name)])),
    ]).toStrictEqual([]);
    const readers = everything.registrations
      .filter(({ dependencies }) =>
        dependencies.some((each) => each.endsWith('pinecone-api-key-version')),
      )
      .map(({ name }) => name);
    expect(readers).toContain('upsert-to-pinecone-function');
  });

  it('are registered again, the same, by the next run of the program', async () => {
    const again = await runProgram();
    expect(tree(again.registrations)).toStrictEqual(tree(minimal.registrations));
    expect(again.outputs).toStrictEqual(minimal.outputs);
  });

  it('are the same with another store beside, but for what names it, writes to it, asks it, or watches', async () => {
    const both = await runProgram(WITH_PINECONE);
    const inputs = ({ registrations }: RecordedDeployment, names: readonly string[]): unknown =>
      registrations
        .filter(({ name }) => names.includes(name))
        .map(({ type, name, wireInputs }) => [type, name, wireInputs])
        .sort();
    const handling =
      /^(log-batch-results|plan-batches|process-receipt-realtime|search-receipts)-(function|policy)$/;
    const shared =
      /^(dashboard|log-query-\w+|batch-poll-embedding-(state-machine|policy)|functions|embeddings)$/;
    const names = minimal.registrations
      .map(({ name }) => name)
      .filter((name) => !shared.test(name) && !handling.test(name));
    expect(names.length).toBeGreaterThan(100);
    expect(inputs(both, names)).toStrictEqual(inputs(minimal, names));
  });
});

describe('the outputs', () => {
  it('are exactly those that a stack’s users read', async () => {
    const states = 'arn:aws:states:us-east-1:123456789012:stateMachine';
    const outputs = {
      realtime_embedding_sf_arn: `${states}:realtime-embedding-sf-dev`,
      chromadb_bucket_name: 'receipt-embeddings-chromadb-bucket',
      dynamodb_table_name: 'receipt-embeddings-receipts-table',
      dashboard_url:
        'https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/receipt-embedding-dev',
      alert_topic_arn: 'arn:aws:sns:us-east-1:123456789012:receipt-embedding-alerts-dev',
      batch_submit_sf_arn: `${states}:batch-submit-embedding-sf-dev`,
      batch_poll_sf_arn: `${states}:batch-poll-embedding-sf-dev`,
      batch_bucket_name: 'receipt-embeddings-batch-bucket',
      search_function_name: 'embedding-search-receipts-lambda-dev',
    };
    const vectors = `arn:aws:s3vectors:us-east-1:123456789012:bucket/receipt-embedding-dev-${SUFFIX}`;
    expect(minimal.messages).toStrictEqual([]);
    expect(minimal.outputs).toStrictEqual({
      ...outputs,
      vector_stores: 's3_vectors',
      vector_bucket_arn: vectors,
      lines_vector_index_arn: `${vectors}/index/lines-text-embedding-3-small-1536-${SUFFIX}`,
      words_vector_index_arn: `${vectors}/index/words-text-embedding-3-small-1536-${SUFFIX}`,
    });
    const config = { ...WITH_PINECONE.config, vector_stores: 'pinecone' };
    expect((await runProgram({ ...WITH_PINECONE, config })).outputs).toStrictEqual({
      ...outputs,
      vector_stores: 'pinecone',
    });
  });
});

describe('names', () => {
  const names = (type: string, property = 'name'): unknown[] =>
    Object.values(resourcesOf(everything, type))
      .map((inputs) => inputs[property])
      .sort();

  it('end with the stack, also with the longest that fits', () => {
    const ending = (stems: readonly string[]): string[] =>
      stems.map((stem) => `${stem}-${LONGEST_STACK}`).sort();
    const roles = ending([
      ...FUNCTIONS.map((name) => `embedding-${name}-role`),
      ...WORKFLOWS.map((name) => `${name}-sf-role`),
      ...SCHEDULES.map((name) => `${name}-role`),
    ]);
    const machines = ending(WORKFLOWS.map((name) => `${name}-embedding-sf`));
    const functions = ending(FUNCTIONS.map((name) => `embedding-${name}-lambda`));
    expect({
      functions: names('aws:lambda/function:Function'),
      machines: names('aws:sfn/stateMachine:StateMachine'),
      roles: names('aws:iam/role:Role'),
      policies: names('aws:iam/rolePolicy:RolePolicy'),
      schedules: names('aws:scheduler/schedule:Schedule'),
      secrets: names('aws:secretsmanager/secret:Secret'),
      layers: names('aws:lambda/layerVersion:LayerVersion', 'layerName'),
      logs: names('aws:cloudwatch/logGroup:LogGroup'),
    }).toStrictEqual({
      functions,
      machines,
      roles,
      policies: roles,
      schedules: ending(SCHEDULES),
      secrets: ending(['receipt-embedding-openai-api-key', 'receipt-embedding-pinecone-api-key']),
      layers: ending(['receipt-embedding-layer']),
      logs: [
        ...functions.map((name) => `/aws/lambda/${name}`),
        ...machines.map((name) => `/aws/vendedlogs/states/${name}`),
      ].sort(),
    });
  });

  it('of the table and the buckets are Pulumi’s, so that a new one can be made before an old one goes', () => {
    expect(names('aws:dynamodb/table:Table')).toStrictEqual([undefined]);
    expect(names('aws:s3/bucket:Bucket', 'bucket')).toStrictEqual([undefined, undefined]);
  });

  it.each([LONGEST_STACK, 'PR_17', 'v1-2'])(
    'of the stack %s are such as AWS takes, each by its service’s rules',
    async (stack) => {
      const { resources } = await runProgram({ ...EVERYTHING, stack });
      const refused = resources.flatMap(({ type, inputs }) => {
        const [property, rule] = AWS_NAMES[type] ?? [];
        const name = property === undefined ? undefined : inputs[property];
        return typeof name !== 'string' || rule?.test(name) === true ? [] : [name];
      });
      expect(refused).toStrictEqual([]);
      const named = resources.filter(({ inputs }) =>
        ['name', 'layerName', 'dashboardName'].some(
          (property) => property in inputs && JSON.stringify(inputs[property]).includes(stack),
        ),
      );
      expect(named.filter(({ type }) => !(type in AWS_NAMES))).toStrictEqual([]);
    },
  );

  it('of the stack v1.2 would be refused half way: it is, before anything is made', async () => {
    const seen: string[] = [];
    const { message } = await rejection(
      runProgram({ ...EVERYTHING, stack: 'v1.2' }, ({ name }) => seen.push(name)),
    );
    expect(message).toContain('npx pulumi stack rename --stack v1.2 v1-2');
    expect(seen).toStrictEqual([]);
  });

  it('that would be too long are refused, with how much room there is', async () => {
    const stack = `${LONGEST_STACK}s`;
    const { name, message } = await rejection(runProgram({ stack }));
    expect({ name, message }).toStrictEqual({
      name: 'InvalidSettings',
      message:
        "the stack's configuration has 1 problem:\n" +
        `  - the stack's name "${stack}" is too long: it may have 22 characters, since AWS allows 64 ` +
        `for the name of a function: npx pulumi stack rename --stack ${stack} ${LONGEST_STACK}`,
    });
  });
});

describe('tags', () => {
  /** What AWS does not let tag. Of a type that is not in this list, each resource has the tags. */
  const NOT_TAGGABLE = [
    'aws:cloudwatch/dashboard:Dashboard',
    'aws:cloudwatch/queryDefinition:QueryDefinition',
    'aws:iam/rolePolicy:RolePolicy',
    'aws:lambda/layerVersion:LayerVersion',
    'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
    'aws:s3/bucketPolicy:BucketPolicy',
    'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
    'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
    'aws:s3/bucketVersioning:BucketVersioning',
    'aws:scheduler/schedule:Schedule',
    'aws:secretsmanager/secretVersion:SecretVersion',
    'aws:sns/topicPolicy:TopicPolicy',
    'aws:sqs/queuePolicy:QueuePolicy',
  ];

  it('are on everything that AWS lets tag: project, stack, and who manages it', () => {
    const tags = { Project: 'receipt-embeddings', Stack: LONGEST_STACK, ManagedBy: 'pulumi' };
    const wrong = everything.resources.filter(({ type, inputs }) => {
      const taggable = type.startsWith('aws:') && !NOT_TAGGABLE.includes(type);
      return !isDeepStrictEqual(inputs['tags'], taggable ? tags : undefined);
    });
    expect(wrong.map(({ type, name }) => `${type} ${name}`)).toStrictEqual([]);
  });
});

describe('logs', () => {
  it('are kept for 30 days', () => {
    const kept = Object.values(resourcesOf(everything, 'aws:cloudwatch/logGroup:LogGroup')).map(
      ({ retentionInDays }) => retentionInDays,
    );
    expect(kept).toStrictEqual([...FUNCTIONS, ...WORKFLOWS].map(() => 30));
  });
});
