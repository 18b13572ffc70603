import { beforeAll, describe, expect, it } from 'vitest';
import { without } from '../support/without.ts';
import { added } from './added_resources.ts';
import {
  PINECONE_KEY,
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_BATCH_PATH,
} from './recorded_program.ts';

// Not proved here: that AWS accepts these resources.

const STATES = 'arn:aws:states:us-east-1:123456789012:stateMachine';

/** The four resources of a function, under its component. */
const functionResources = (name: string): string[] => [
  `functions > receipts:lambda:EmbeddingFunction ${name}`,
  `${name} > aws:cloudwatch/logGroup:LogGroup ${name}-logs`,
  `${name} > aws:lambda/function:Function ${name}-function`,
  `${name} > receipts:iam:ServiceRole ${name}`,
  `${name} > aws:iam/role:Role ${name}-role`,
  `${name} > aws:iam/rolePolicy:RolePolicy ${name}-policy`,
];

const alarms = (names: readonly string[]): string[] =>
  names.map((name) => `monitoring > aws:cloudwatch/metricAlarm:MetricAlarm ${name}`);

/** What watches both paths together, and so differs between stacks with one and with two. */
const WATCHING_BOTH = [
  'dashboard',
  'invalid-rows',
  'log-query-failures',
  'log-query-receipt',
  'log-query-execution',
];

const workflowResources = (type: string, name: string): string[] => [
  `embeddings > receipts:workflow:${type} ${name}`,
  `${name} > aws:cloudwatch/logGroup:LogGroup ${name}-logs`,
  `${name} > aws:sfn/stateMachine:StateMachine ${name}-state-machine`,
  `${name} > receipts:iam:ServiceRole ${name}`,
  `${name} > aws:iam/role:Role ${name}-role`,
  `${name} > aws:iam/rolePolicy:RolePolicy ${name}-policy`,
];

/** The functions of the batch path, as their resources are called. */
const FUNCTIONS = [
  'download-batch-results',
  'get-batch-status',
  'list-pending-batches',
  'mark-batch-complete',
  'plan-batches',
  'record-batch-failure',
  'release-batch',
  'submit-batch',
  'summarize-batch-poll',
  'summarize-batch-submit',
  'upsert-to-pinecone',
  'write-results-to-dynamo',
];

let deployed: RecordedDeployment;
let realtimeAlone: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram(WITH_BATCH_PATH);
  realtimeAlone = await runProgram();
});

describe('a stack with Pinecone', () => {
  it('has all of this more than one without, each under the component that made it', () => {
    expect(added(deployed, realtimeAlone)).toStrictEqual(
      [
        'embeddings > receipts:data:PrivateBucket batch',
        'batch > aws:s3/bucket:Bucket batch-bucket',
        'batch > aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration batch-lifecycle',
        'batch > aws:s3/bucketPolicy:BucketPolicy batch-tls-only',
        'batch > aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock batch-privacy',
        'batch > aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration batch-encryption',
        'batch > aws:s3/bucketVersioning:BucketVersioning batch-versioning',
        ...FUNCTIONS.flatMap(functionResources),
        'embeddings > receipts:secrets:ApiKeySecret receipt-embedding-pinecone-api-key',
        'receipt-embedding-pinecone-api-key > aws:secretsmanager/secret:Secret receipt-embedding-pinecone-api-key-secret',
        'receipt-embedding-pinecone-api-key > aws:secretsmanager/secretVersion:SecretVersion receipt-embedding-pinecone-api-key-version',
        ...workflowResources('BatchSubmitWorkflow', 'batch-submit-embedding'),
        ...workflowResources('BatchPollWorkflow', 'batch-poll-embedding'),
        ...FUNCTIONS.flatMap((name) =>
          alarms(['errors', 'throttles', 'duration'].map((what) => `function-${what}-${name}`)),
        ),
        ...['batch-submit-embedding', 'batch-poll-embedding'].flatMap((name) =>
          alarms(['failed', 'timed-out', 'throttled'].map((what) => `executions-${what}-${name}`)),
        ),
        'monitoring > aws:cloudwatch/queryDefinition:QueryDefinition log-query-batch',
        ...alarms(['batches-failed', 'batch-rows-failed', 'oldest-pending-batch']),
      ].sort(),
    );
  });

  it('lacks nothing that one without has, and says nothing', () => {
    expect(added(realtimeAlone, deployed)).toStrictEqual([]);
    expect(deployed.messages).toStrictEqual([]);
  });

  it('changes nothing of the realtime path', () => {
    const realtime = (of: RecordedDeployment): unknown => {
      const names = new Set(realtimeAlone.registrations.map(({ name }) => name));
      for (const name of WATCHING_BOTH) names.delete(name);
      return of.registrations
        .filter(({ name }) => names.has(name))
        .map(({ type, name, wireInputs }) => [type, name, wireInputs])
        .sort();
    };
    expect(realtime(deployed)).toStrictEqual(realtime(realtimeAlone));
  });

  it('has components without inputs, which would lie in the state', () => {
    const components = deployed.registrations.filter(({ type }) => type.startsWith('receipts:'));
    expect(components.filter(({ wireInputs }) => Object.keys(wireInputs).length > 0)).toStrictEqual(
      [],
    );
  });

  it('gives these outputs', () => {
    expect(deployed.outputs).toStrictEqual({
      realtime_embedding_sf_arn: `${STATES}:realtime-embedding-sf-dev`,
      batch_submit_sf_arn: `${STATES}:batch-submit-embedding-sf-dev`,
      batch_poll_sf_arn: `${STATES}:batch-poll-embedding-sf-dev`,
      chromadb_bucket_name: 'receipt-embeddings-chromadb-bucket',
      batch_bucket_name: 'receipt-embeddings-batch-bucket',
      dynamodb_table_name: 'receipt-embeddings-receipts-table',
      dashboard_url:
        'https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/receipt-embedding-dev',
      alert_topic_arn: 'arn:aws:sns:us-east-1:123456789012:receipt-embedding-alerts-dev',
    });
  });

  it('makes the user of each role wait for its policy, its log and its secret', () => {
    const missing = [...FUNCTIONS, 'batch-submit-embedding', 'batch-poll-embedding'].filter(
      (stem) => {
        const user = deployed.registrations.find(
          ({ name }) => name === `${stem}-function` || name === `${stem}-state-machine`,
        );
        return ![
          `aws:iam/rolePolicy:RolePolicy::${stem}-policy`,
          `aws:cloudwatch/logGroup:LogGroup::${stem}-logs`,
        ].every((needed) => user?.dependencies.includes(needed));
      },
    );
    expect(missing).toStrictEqual([]);
    const upsert = deployed.registrations.find(
      ({ name }) => name === 'upsert-to-pinecone-function',
    );
    expect(upsert?.dependencies).toContain(
      'aws:secretsmanager/secretVersion:SecretVersion::receipt-embedding-pinecone-api-key-version',
    );
  });

  it("has Pinecone's key in its own secret alone", () => {
    const holders = deployed.registrations.filter(({ wireInputs }) =>
      JSON.stringify(wireInputs).includes(PINECONE_KEY),
    );
    expect(holders.map(({ name }) => name)).toStrictEqual([
      'receipt-embedding-pinecone-api-key-version',
    ]);
    expect(JSON.stringify(deployed.outputs)).not.toContain(PINECONE_KEY);
    const { secretString } = holders[0]?.wireInputs ?? {};
    expect(secretString).toStrictEqual({
      '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270',
      value: PINECONE_KEY,
    });
    expect(
      without(
        resource(
          deployed,
          'aws:secretsmanager/secret:Secret',
          'receipt-embedding-pinecone-api-key-secret',
        ),
        'tags',
      ),
    ).toStrictEqual({ name: 'receipt-embedding-pinecone-api-key-dev', recoveryWindowInDays: 0 });
  });

  it('has state machines that are standard, log their errors without their data, and are traced', () => {
    for (const name of ['batch-submit', 'batch-poll']) {
      const { definition, tags, ...inputs } = resource(
        deployed,
        'aws:sfn/stateMachine:StateMachine',
        `${name}-embedding-state-machine`,
      );
      expect([typeof definition, typeof tags]).toStrictEqual(['string', 'object']);
      expect(inputs).toStrictEqual({
        name: `${name}-embedding-sf-dev`,
        type: 'STANDARD',
        roleArn: `arn:aws:iam::123456789012:role/${name}-sf-role-dev`,
        loggingConfiguration: {
          level: 'ERROR',
          includeExecutionData: false,
          logDestination: `arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/${name}-embedding-sf-dev:*`,
        },
        tracingConfiguration: { enabled: true },
      });
    }
  });

  it('tags and names everything by the stack, also by the longest name that fits', async () => {
    const stack = 'stack-of-22-characters';
    const schedules = { batch_submit_schedule: 'rate(1 day)', batch_poll_schedule: 'rate(1 day)' };
    const other = await runProgram({
      ...WITH_BATCH_PATH,
      stack,
      config: { ...WITH_BATCH_PATH.config, ...schedules },
    });
    const names = (type: string): unknown[] =>
      Object.values(resourcesOf(other, type)).map(({ name }) => name);

    const functions = names('aws:lambda/function:Function');
    expect(functions).toHaveLength(15);
    expect(functions).toEqual(
      expect.arrayContaining(FUNCTIONS.map((name) => `embedding-${name}-lambda-${stack}`)),
    );
    expect(names('aws:sfn/stateMachine:StateMachine').sort()).toStrictEqual(
      ['batch-poll', 'batch-submit', 'realtime'].map((name) => `${name}-embedding-sf-${stack}`),
    );
    expect(names('aws:scheduler/schedule:Schedule').sort()).toStrictEqual(
      ['batch-poll', 'batch-submit'].map((name) => `${name}-schedule-${stack}`),
    );
    const roles = names('aws:iam/role:Role');
    expect(roles).toHaveLength(20);
    expect(roles).toEqual(
      expect.arrayContaining([
        ...FUNCTIONS.map((name) => `embedding-${name}-role-${stack}`),
        ...['batch-poll', 'batch-submit'].map((name) => `${name}-sf-role-${stack}`),
        ...['batch-poll', 'batch-submit'].map((name) => `${name}-schedule-role-${stack}`),
      ]),
    );
    expect(names('aws:iam/rolePolicy:RolePolicy').sort()).toStrictEqual(roles.sort());
    const tagged = other.resources.filter(({ inputs }) => 'tags' in inputs);
    // 15 functions with role, log and 3 alarms, 3 workflows with role, log and 3 alarms, 6 more alarms and their
    // topic, 2 roles of schedules, 3 stores, 2 secrets.
    expect(tagged).toHaveLength(15 * 6 + 3 * 6 + 6 + 1 + 2 + 3 + 2);
    const tags = { Project: 'receipt-embeddings', Stack: stack, ManagedBy: 'pulumi' };
    expect(tagged.map(({ inputs }) => inputs['tags'])).toStrictEqual(tagged.map(() => tags));
    const logs = Object.values(resourcesOf(other, 'aws:cloudwatch/logGroup:LogGroup'));
    expect(logs.map(({ retentionInDays }) => retentionInDays)).toStrictEqual(
      Array.from({ length: 18 }, () => 30),
    );
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
