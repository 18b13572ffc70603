import { beforeAll, describe, expect, it } from 'vitest';
import { type RecordedDeployment, runProgram } from './recorded_program.ts';
import type { Registration } from './recorded_registrations.ts';

// Not proved here: that AWS accepts these resources, and that the engine would make them in this order.

const DASHBOARD_URL =
  'https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/receipt-embedding-dev';

/** Everything that hangs under a parent, two more spaces for each generation. */
function tree(
  registrations: readonly Registration[],
  parent: string | undefined,
  indent: string,
): string[] {
  return registrations
    .filter((each) => each.parent === parent)
    .map(({ type, name }) => ({ line: `${indent}${type} ${name}`, key: `${type}::${name}` }))
    .sort((a, b) => (a.line < b.line ? -1 : 1))
    .flatMap(({ line, key }) => [line, ...tree(registrations, key, `${indent}  `)]);
}

const FUNCTION_TREE = (name: string): string[] => [
  `    receipts:lambda:EmbeddingFunction ${name}`,
  `      aws:cloudwatch/logGroup:LogGroup ${name}-logs`,
  `      aws:lambda/function:Function ${name}-function`,
  `      receipts:iam:ServiceRole ${name}`,
  `        aws:iam/role:Role ${name}-role`,
  `        aws:iam/rolePolicy:RolePolicy ${name}-policy`,
];

const ALARM = 'aws:cloudwatch/metricAlarm:MetricAlarm';
const functionAlarms = (name: string): string[] =>
  ['duration', 'errors', 'throttles'].map((what) => `    ${ALARM} function-${what}-${name}`);

const MONITORING_TREE = [
  '  receipts:monitoring:Monitoring monitoring',
  ...[
    '    aws:cloudwatch/dashboard:Dashboard dashboard',
    ...['failed', 'throttled', 'timed-out'].map(
      (what) => `    ${ALARM} executions-${what}-realtime-embedding`,
    ),
    ...functionAlarms('find-receipts-realtime'),
    ...functionAlarms('process-receipt-realtime'),
    ...functionAlarms('summarize-realtime-run'),
    ...['invalid-rows', 'merchant-lookups-failed', 'receipts-failed'].map(
      (what) => `    ${ALARM} ${what}`,
    ),
    ...['execution', 'failures', 'receipt'].map(
      (what) => `    aws:cloudwatch/queryDefinition:QueryDefinition log-query-${what}`,
    ),
  ].sort(),
  '    receipts:monitoring:AlertTopic alerts',
  '      aws:sns/topic:Topic alerts-topic',
  '      aws:sns/topicPolicy:TopicPolicy alerts-policy',
];

describe('the resources of a stack', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram();
  });

  it('are exactly these, each under the component that made it', () => {
    expect(tree(deployed.registrations, undefined, '')).toStrictEqual([
      'receipts:index:EmbeddingInfrastructure embeddings',
      '  receipts:data:PrivateBucket chromadb',
      '    aws:s3/bucket:Bucket chromadb-bucket',
      '    aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration chromadb-lifecycle',
      '    aws:s3/bucketPolicy:BucketPolicy chromadb-tls-only',
      '    aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock chromadb-privacy',
      '    aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration chromadb-encryption',
      '    aws:s3/bucketVersioning:BucketVersioning chromadb-versioning',
      '  receipts:data:ReceiptTable receipts',
      '    aws:dynamodb/table:Table receipts-table',
      '  receipts:lambda:LambdaFunctions functions',
      ...FUNCTION_TREE('find-receipts-realtime'),
      ...FUNCTION_TREE('process-receipt-realtime'),
      ...FUNCTION_TREE('summarize-realtime-run'),
      '    receipts:lambda:SharedLayer receipt-embedding-layer',
      '      aws:lambda/layerVersion:LayerVersion receipt-embedding-layer-version',
      ...MONITORING_TREE,
      '  receipts:secrets:ApiKeySecret receipt-embedding-openai-api-key',
      '    aws:secretsmanager/secret:Secret receipt-embedding-openai-api-key-secret',
      '    aws:secretsmanager/secretVersion:SecretVersion receipt-embedding-openai-api-key-version',
      '  receipts:workflow:RealtimeEmbeddingWorkflow realtime-embedding',
      '    aws:cloudwatch/logGroup:LogGroup realtime-embedding-logs',
      '    aws:sfn/stateMachine:StateMachine realtime-embedding-state-machine',
      '    receipts:iam:ServiceRole realtime-embedding',
      '      aws:iam/role:Role realtime-embedding-role',
      '      aws:iam/rolePolicy:RolePolicy realtime-embedding-policy',
    ]);
  });

  it('have no orphan: each one is in the tree under the stack', () => {
    expect(tree(deployed.registrations, undefined, '')).toHaveLength(deployed.resources.length);
    expect(deployed.registrations).toHaveLength(deployed.resources.length);
  });

  it('are components without inputs, which would lie in the state', () => {
    const components = deployed.registrations.filter(({ type }) => type.startsWith('receipts:'));
    expect(components.map(({ wireInputs }) => wireInputs)).toStrictEqual(
      Array.from({ length: 16 }, () => ({})),
    );
  });

  it.each([
    ['aws:lambda/function:Function', 'find-receipts-realtime'],
    ['aws:lambda/function:Function', 'process-receipt-realtime'],
    ['aws:lambda/function:Function', 'summarize-realtime-run'],
    ['aws:sfn/stateMachine:StateMachine', 'realtime-embedding'],
  ])('wait for the policy of their role and for their log: %s %s', (type, stem) => {
    const user = deployed.registrations.find(
      (each) => each.type === type && each.name.startsWith(stem),
    );
    expect(user?.dependencies).toEqual(
      expect.arrayContaining([
        `aws:iam/rolePolicy:RolePolicy::${stem}-policy`,
        `aws:cloudwatch/logGroup:LogGroup::${stem}-logs`,
      ]),
    );
  });

  it('let a function wait until the secret that it reads has a value', () => {
    const user = deployed.registrations.find(
      ({ name }) => name === 'process-receipt-realtime-function',
    );
    expect(user?.dependencies).toContain(
      'aws:secretsmanager/secretVersion:SecretVersion::receipt-embedding-openai-api-key-version',
    );
  });

  it('give the stack exactly the outputs that its users read', () => {
    expect(deployed.outputs).toStrictEqual({
      realtime_embedding_sf_arn:
        'arn:aws:states:us-east-1:123456789012:stateMachine:realtime-embedding-sf-dev',
      chromadb_bucket_name: 'receipt-embeddings-chromadb-bucket',
      dynamodb_table_name: 'receipt-embeddings-receipts-table',
      dashboard_url: DASHBOARD_URL,
      alert_topic_arn: 'arn:aws:sns:us-east-1:123456789012:receipt-embedding-alerts-dev',
    });
  });

  it('are registered again, the same, by the next run of the program', async () => {
    const again = await runProgram();
    expect(tree(again.registrations, undefined, '')).toStrictEqual(
      tree(deployed.registrations, undefined, ''),
    );
    expect(again.outputs).toStrictEqual(deployed.outputs);
  });
});
