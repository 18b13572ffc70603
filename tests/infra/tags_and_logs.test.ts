import { beforeAll, describe, expect, it } from 'vitest';
import { type RecordedDeployment, resource, resourcesOf, runProgram } from './recorded_program.ts';

// Not proved here: that AWS writes the logs; the layer's version has no tags because AWS takes none for it.

/** What AWS lets tag, of all that a stack has. */
const TAGGABLE = [
  'aws:cloudwatch/logGroup:LogGroup',
  'aws:cloudwatch/metricAlarm:MetricAlarm',
  'aws:dynamodb/table:Table',
  'aws:iam/role:Role',
  'aws:lambda/function:Function',
  'aws:s3/bucket:Bucket',
  'aws:secretsmanager/secret:Secret',
  'aws:sfn/stateMachine:StateMachine',
  'aws:sns/topic:Topic',
];

/** What it does not. A type that is in neither list fails the test, so that somebody looks. */
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
  'aws:secretsmanager/secretVersion:SecretVersion',
  'aws:sns/topicPolicy:TopicPolicy',
];

let deployed: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram({ stack: 'prod' });
});

describe('tags', () => {
  it('are on everything that AWS lets tag: project, stack, and who manages it', () => {
    const tagged = deployed.resources.filter(({ type }) => TAGGABLE.includes(type));
    expect(tagged).toHaveLength(15 + 15 + 1);
    expect(tagged.map(({ name, inputs }) => [name, inputs['tags']])).toStrictEqual(
      tagged.map(({ name }) => [
        name,
        { Project: 'receipt-embeddings', Stack: 'prod', ManagedBy: 'pulumi' },
      ]),
    );
  });

  it('are missing on nothing that this test does not know', () => {
    const types = new Set(
      deployed.resources.map(({ type }) => type).filter((type) => type.startsWith('aws:')),
    );
    expect([...types].sort()).toStrictEqual([...TAGGABLE, ...NOT_TAGGABLE].sort());
  });
});

describe('log groups', () => {
  it('are one for each function and the workflow, and are kept for 30 days', () => {
    const groups = Object.values(resourcesOf(deployed, 'aws:cloudwatch/logGroup:LogGroup'));
    expect(groups.map(({ name, retentionInDays }) => [name, retentionInDays]).sort()).toStrictEqual(
      [
        ['/aws/lambda/embedding-find-receipts-realtime-lambda-prod', 30],
        ['/aws/lambda/embedding-process-receipt-realtime-lambda-prod', 30],
        ['/aws/lambda/embedding-summarize-realtime-run-lambda-prod', 30],
        ['/aws/vendedlogs/states/realtime-embedding-sf-prod', 30],
      ],
    );
  });
});

describe('the state machine', () => {
  it('is a standard one that logs its errors without their data, and is traced', () => {
    const { definition, tags, ...inputs } = resource(
      deployed,
      'aws:sfn/stateMachine:StateMachine',
      'realtime-embedding-state-machine',
    );
    expect([typeof definition, typeof tags]).toStrictEqual(['string', 'object']);
    expect(inputs).toStrictEqual({
      name: 'realtime-embedding-sf-prod',
      type: 'STANDARD',
      roleArn: 'arn:aws:iam::123456789012:role/realtime-sf-role-prod',
      loggingConfiguration: {
        level: 'ERROR',
        includeExecutionData: false,
        logDestination:
          'arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/realtime-embedding-sf-prod:*',
      },
      tracingConfiguration: { enabled: true },
    });
  });
});
