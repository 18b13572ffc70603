import { beforeAll, describe, expect, it } from 'vitest';
import {
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_BATCH_PATH,
} from './recorded_program.ts';

// Not proved here: that these permissions are enough, and each of use. tests/end_to_end/least_privilege.test.ts does.

const TABLE = 'arn:aws:dynamodb:us-east-1:123456789012:table/receipt-embeddings-receipts-table';
const GSI1 = `${TABLE}/index/GSI1`;
const GSI3 = `${TABLE}/index/GSI3`;
const BUCKET = 'arn:aws:s3:::receipt-embeddings-batch-bucket';
const PLAN = `${BUCKET}/batches/*/plan.jsonl`;
const REQUESTS = `${BUCKET}/batches/*/requests.jsonl`;
const RESULTS = `${BUCKET}/batches/*/results/*`;
const secretArn = (what: string): string =>
  `arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-${what}-dev-000000`;
const OPENAI = secretArn('openai-api-key');
const PINECONE = secretArn('pinecone-api-key');

type Statement = readonly [actions: readonly string[], resources: readonly string[]];

/** What each function may do, beside writing its own log and its traces. */
const ALLOWED: Readonly<Record<string, readonly Statement[]>> = {
  'plan-batches': [
    [['dynamodb:Query'], [GSI1, GSI3]],
    [['dynamodb:GetItem'], [TABLE]],
    [['s3:PutObject'], [PLAN, `${BUCKET}/submits/*/batches.jsonl`]],
  ],
  'submit-batch': [
    [['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [TABLE]],
    [['s3:GetObject'], [PLAN, REQUESTS]],
    [['s3:PutObject'], [REQUESTS]],
    [['secretsmanager:GetSecretValue'], [OPENAI]],
  ],
  'summarize-batch-submit': [[['s3:GetObject'], [`${BUCKET}/submits/*/results/*`]]],
  'list-pending-batches': [
    [['dynamodb:Query'], [GSI1]],
    [['s3:PutObject'], [`${BUCKET}/polls/*/batches.jsonl`]],
  ],
  'get-batch-status': [
    [['dynamodb:GetItem', 'dynamodb:UpdateItem'], [TABLE]],
    [['secretsmanager:GetSecretValue'], [OPENAI]],
  ],
  'download-batch-results': [
    [['dynamodb:GetItem', 'dynamodb:UpdateItem'], [TABLE]],
    [['dynamodb:Query'], [GSI3]],
    [['s3:GetObject'], [PLAN, REQUESTS]],
    [['s3:PutObject'], [REQUESTS, RESULTS]],
    [['secretsmanager:GetSecretValue'], [OPENAI]],
  ],
  'upsert-to-pinecone': [
    [['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:UpdateItem'], [TABLE]],
    [['dynamodb:Query'], [GSI3]],
    [['s3:GetObject'], [RESULTS]],
    [['secretsmanager:GetSecretValue'], [PINECONE]],
  ],
  'write-results-to-dynamo': [
    [['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem'], [TABLE]],
    [['dynamodb:Query'], [GSI3]],
    [['s3:GetObject'], [RESULTS]],
  ],
  'mark-batch-complete': [
    [['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:UpdateItem'], [TABLE]],
    [['s3:GetObject'], [REQUESTS]],
  ],
  'release-batch': [
    [['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:UpdateItem'], [TABLE]],
    [['dynamodb:Query'], [GSI3]],
    [['s3:GetObject'], [PLAN, REQUESTS]],
    [['s3:PutObject'], [REQUESTS]],
    [['secretsmanager:GetSecretValue'], [OPENAI]],
  ],
  'record-batch-failure': [[['dynamodb:GetItem', 'dynamodb:UpdateItem'], [TABLE]]],
  'summarize-batch-poll': [[['s3:GetObject'], [`${BUCKET}/polls/*/results/*`]]],
};

const STATES = 'arn:aws:states:us-east-1:123456789012';

/** What a workflow's role may do, beside logging and tracing. */
const workflow = (
  machine: string,
  label: string,
  folder: string,
  functions: readonly string[],
): Statement[] => [
  [
    ['lambda:InvokeFunction'],
    functions.map(
      (name) => `arn:aws:lambda:us-east-1:123456789012:function:embedding-${name}-lambda-dev`,
    ),
  ],
  [['states:StartExecution'], [`${STATES}:stateMachine:${machine}`]],
  [['states:DescribeExecution', 'states:StopExecution'], [`${STATES}:execution:${machine}:*`]],
  [['states:RedriveExecution'], [`${STATES}:execution:${machine}/${label}:*`]],
  [['s3:GetObject'], [`${BUCKET}/${folder}/*/batches.jsonl`]],
  [
    ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
    [`${BUCKET}/${folder}/*/results/*`],
  ],
];

let deployed: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram(WITH_BATCH_PATH);
});

/** A role's statements, each known to allow something without a condition. */
function statements(name: string): Statement[] {
  const { policy } = resource(deployed, 'aws:iam/rolePolicy:RolePolicy', `${name}-policy`);
  const document = JSON.parse(policy as string) as { Version: string; Statement: object[] };
  expect(document.Version).toBe('2012-10-17');
  return document.Statement.map((statement) => {
    const { Effect, Action, Resource, ...rest } = statement as {
      Effect: string;
      Action: string[];
      Resource: string[];
    };
    expect([Effect, rest]).toStrictEqual(['Allow', {}]);
    return [Action, Resource];
  });
}

describe('the role of', () => {
  it.each(Object.entries(ALLOWED))('%s allows what it does, and no more', (name, allowed) => {
    expect(statements(name)).toStrictEqual([
      ...allowed,
      [
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        [
          `arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/embedding-${name}-lambda-dev:*`,
        ],
      ],
      [['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']],
    ]);
  });

  it.each([
    [
      'batch-submit-embedding',
      workflow('batch-submit-embedding-sf-dev', 'SubmitBatches', 'submits', [
        'plan-batches',
        'submit-batch',
        'summarize-batch-submit',
      ]),
    ],
    [
      'batch-poll-embedding',
      workflow('batch-poll-embedding-sf-dev', 'ProcessBatches', 'polls', [
        'list-pending-batches',
        'get-batch-status',
        'download-batch-results',
        'upsert-to-pinecone',
        'write-results-to-dynamo',
        'mark-batch-complete',
        'release-batch',
        'record-batch-failure',
        'summarize-batch-poll',
      ]),
    ],
  ])('%s invokes its functions, runs its Map and logs, and no more', (name, allowed) => {
    expect(statements(name)).toStrictEqual([
      ...allowed,
      ...statements('realtime-embedding').slice(-2),
    ]);
  });

  it('each is assumed by its own service alone', () => {
    const trusted = Object.entries(resourcesOf(deployed, 'aws:iam/role:Role')).map(
      ([name, { assumeRolePolicy }]) => [name, JSON.parse(assumeRolePolicy as string) as unknown],
    );
    const by = (service: string): object => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    });
    const workflows = ['realtime-embedding', 'batch-submit-embedding', 'batch-poll-embedding'];
    expect(trusted).toHaveLength(18);
    expect(trusted).toStrictEqual(
      trusted.map(([name]) => [
        name,
        by(
          workflows.some((each) => `${each}-role` === name)
            ? 'states.amazonaws.com'
            : 'lambda.amazonaws.com',
        ),
      ]),
    );
  });

  it('each has its one policy on itself', () => {
    const policies = Object.values(resourcesOf(deployed, 'aws:iam/rolePolicy:RolePolicy'));
    expect(policies).toHaveLength(18);
    expect(policies.map(({ role }) => role)).toStrictEqual(policies.map(({ name }) => name));
    expect(new Set(policies.map(({ role }) => role)).size).toBe(18);
  });
});
