import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { functionsOf } from '../../components/state_machines/workflows.ts';
import { rejection } from '../support/rejection.ts';
import {
  type RecordedDeployment,
  type Registration,
  resourcesOf,
  runProgram,
  WITH_BATCH_PATH,
} from './recorded_program.ts';

// Not proved here: that AWS accepts these resources, that a name is free in an account, and that the engine would make them in this order.

const ALARM = 'aws:cloudwatch/metricAlarm:MetricAlarm';
const LONGEST_STACK = 'stack-of-22-characters';

const purposes = (workflows: Parameters<typeof functionsOf>[0]): string[] =>
  functionsOf(workflows)
    .map(({ name }) => name.replaceAll('_', '-'))
    .sort();
const REALTIME_FUNCTIONS = purposes(['realtime']);
const FUNCTIONS = purposes(['realtime', 'batch_submit', 'batch_poll']);
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

const ALARM_KINDS = ['invalid-rows', 'merchant-lookups-failed', 'receipts-failed'];
const QUERIES = ['execution', 'failures', 'receipt'];

/** Everything that a setting adds. */
const EVERYTHING = {
  ...WITH_BATCH_PATH,
  config: {
    ...WITH_BATCH_PATH.config,
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
  'aws:scheduler/schedule:Schedule': ['name', /^[0-9a-zA-Z-_.]{1,64}$/],
  'aws:secretsmanager/secret:Secret': ['name', /^[A-Za-z0-9/_+=.@-]{1,512}$/],
  'aws:sfn/stateMachine:StateMachine': ['name', /^[0-9A-Za-z_-]{1,80}$/],
  'aws:sns/topic:Topic': ['name', /^[A-Za-z0-9_-]{1,256}$/],
};

let realtimeAlone: RecordedDeployment;
/** Outside dev, with a name of the length that just fits, and with everything that a setting adds. */
let everything: RecordedDeployment;

beforeAll(async () => {
  realtimeAlone = await runProgram();
  everything = await runProgram({ ...EVERYTHING, stack: LONGEST_STACK });
});

describe('the resources of a stack', () => {
  it('without Pinecone are exactly these, each under the component that made it', () => {
    expect(tree(realtimeAlone.registrations)).toStrictEqual([
      'receipts:index:EmbeddingInfrastructure embeddings',
      ...bucketTree('chromadb'),
      '  receipts:data:ReceiptTable receipts',
      '    aws:dynamodb/table:Table receipts-table',
      '  receipts:lambda:LambdaFunctions functions',
      '    aws:lambda/layerVersion:LayerVersion receipt-embedding-layer-version',
      ...REALTIME_FUNCTIONS.flatMap(functionTree),
      ...monitoringTree(REALTIME_FUNCTIONS, ['realtime-embedding'], ALARM_KINDS, QUERIES),
      ...secretTree('openai'),
      '  receipts:workflow:RealtimeEmbeddingWorkflow realtime-embedding',
      ...workflowTree('realtime-embedding'),
    ]);
  });

  it('with Pinecone and schedules are these', () => {
    const schedule = (name: string): string[] => [
      `    aws:scheduler/schedule:Schedule ${name}-schedule`,
      ...roleTree(`${name}-schedule`),
    ];
    const batchWorkflow = (type: string, name: string): string[] => {
      const [logs = '', machine = '', ...role] = workflowTree(`${name}-embedding`);
      const [scheduled = '', ...scheduleRole] = schedule(name);
      return [
        `  receipts:workflow:${type} ${name}-embedding`,
        logs,
        scheduled,
        machine,
        ...role,
        ...scheduleRole,
      ];
    };
    expect(tree(everything.registrations)).toStrictEqual([
      'receipts:index:EmbeddingInfrastructure embeddings',
      ...bucketTree('batch'),
      ...bucketTree('chromadb'),
      '  receipts:data:ReceiptTable receipts',
      '    aws:dynamodb/table:Table receipts-table',
      '  receipts:lambda:LambdaFunctions functions',
      '    aws:lambda/layerVersion:LayerVersion receipt-embedding-layer-version',
      ...FUNCTIONS.flatMap(functionTree),
      ...monitoringTree(
        FUNCTIONS,
        WORKFLOWS.map((name) => `${name}-embedding`),
        [
          ...ALARM_KINDS,
          'batches-failed',
          'batch-rows-failed',
          'oldest-pending-batch',
          'batches-parked',
        ],
        [...QUERIES, 'batch'],
      ),
      ...secretTree('openai'),
      ...secretTree('pinecone'),
      ...batchWorkflow('BatchPollWorkflow', 'batch-poll'),
      ...batchWorkflow('BatchSubmitWorkflow', 'batch-submit'),
      '  receipts:workflow:RealtimeEmbeddingWorkflow realtime-embedding',
      ...workflowTree('realtime-embedding'),
    ]);
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
      ...['batch-submit-schedule', 'batch-poll-schedule'].flatMap((name) =>
        missing(name, 'aws:scheduler/', [policy(name)]),
      ),
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
    expect(tree(again.registrations)).toStrictEqual(tree(realtimeAlone.registrations));
    expect(again.outputs).toStrictEqual(realtimeAlone.outputs);
  });

  it('of the realtime path are the same with the batch path beside it', async () => {
    const both = await runProgram(WITH_BATCH_PATH);
    const inputs = ({ registrations }: RecordedDeployment, names: readonly string[]): unknown =>
      registrations
        .filter(({ name }) => names.includes(name))
        .map(({ type, name, wireInputs }) => [type, name, wireInputs])
        .sort();
    // What watches both paths together, and adds up both, differs.
    const shared =
      /^(dashboard|invalid-rows|log-query-\w+|summarize-execution-policy|functions|embeddings)$/;
    const names = realtimeAlone.registrations
      .map(({ name }) => name)
      .filter((name) => !shared.test(name));
    expect(inputs(both, names)).toStrictEqual(inputs(realtimeAlone, names));
  });
});

describe('a stack without Pinecone', () => {
  it('has nothing of the batch path, and says so with what to do about it', () => {
    const names = realtimeAlone.registrations.map(({ name }) => name);
    expect(names.filter((name) => /batch|pinecone|poll|submit/.test(name))).toStrictEqual([]);
    expect(realtimeAlone.messages).toStrictEqual([
      'the batch path is not deployed, since it needs Pinecone: npx pulumi config set --stack dev pinecone_index_name receipts; ' +
        'npx pulumi config set --stack dev --secret pinecone_api_key',
    ]);
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
    };
    expect(realtimeAlone.outputs).toStrictEqual(outputs);
    const both = await runProgram(WITH_BATCH_PATH);
    expect(both.messages).toStrictEqual([]);
    expect(both.outputs).toStrictEqual({
      ...outputs,
      batch_submit_sf_arn: `${states}:batch-submit-embedding-sf-dev`,
      batch_poll_sf_arn: `${states}:batch-poll-embedding-sf-dev`,
      batch_bucket_name: 'receipt-embeddings-batch-bucket',
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
      'batch-submit-schedule-role',
      'batch-poll-schedule-role',
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
      schedules: ending(['batch-submit-schedule', 'batch-poll-schedule']),
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
