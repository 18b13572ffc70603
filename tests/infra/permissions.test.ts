import { beforeAll, describe, expect, it } from 'vitest';
import { type RecordedDeployment, resource, resourcesOf, runProgram } from './recorded_program.ts';

// Not proved here: that these permissions are enough, and each of use. tests/end_to_end/least_privilege.test.ts does.

const TABLE = 'arn:aws:dynamodb:us-east-1:123456789012:table/receipt-embeddings-receipts-table';
const BUCKET = 'arn:aws:s3:::receipt-embeddings-chromadb-bucket';
const OPENAI_SECRET =
  'arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-openai-api-key-dev-000000';
const LAMBDA = 'arn:aws:lambda:us-east-1:123456789012:function';
const STATES = 'arn:aws:states:us-east-1:123456789012';

const ownLog = (functionName: string): object => ({
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: [
    `arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/embedding-${functionName}-lambda-dev:*`,
  ],
});

const TRACING = {
  Effect: 'Allow',
  Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  Resource: ['*'],
};

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') throw new TypeError('expected a JSON text');
  return JSON.parse(text);
}

function policy(deployed: RecordedDeployment, name: string): unknown {
  return parsed(resource(deployed, 'aws:iam/rolePolicy:RolePolicy', `${name}-policy`)['policy']);
}

describe('the role of', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram();
  });

  it('find_receipts_realtime queries the two listing indexes and writes lists, and no more', () => {
    expect(policy(deployed, 'find-receipts-realtime')).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['dynamodb:Query'],
          Resource: [`${TABLE}/index/GSI1`, `${TABLE}/index/GSITYPE`],
        },
        {
          Effect: 'Allow',
          Action: ['s3:PutObject'],
          Resource: [`${BUCKET}/runs/*/receipts.jsonl`],
        },
        ownLog('find-receipts-realtime'),
        TRACING,
      ],
    });
  });

  it('process_receipt_realtime reads and updates rows, writes deltas and reads one key, and no more', () => {
    expect(policy(deployed, 'process-receipt-realtime')).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
          Resource: [TABLE],
        },
        { Effect: 'Allow', Action: ['dynamodb:Query'], Resource: [`${TABLE}/index/GSI3`] },
        {
          Effect: 'Allow',
          Action: ['s3:PutObject'],
          Resource: [
            `${BUCKET}/lines/delta/*/delta.tar.gz`,
            `${BUCKET}/words/delta/*/delta.tar.gz`,
          ],
        },
        {
          Effect: 'Allow',
          Action: ['secretsmanager:GetSecretValue'],
          Resource: [OPENAI_SECRET],
        },
        ownLog('process-receipt-realtime'),
        TRACING,
      ],
    });
  });

  it('summarize_realtime_run reads results, and no more', () => {
    expect(policy(deployed, 'summarize-realtime-run')).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`${BUCKET}/runs/*/results/*`] },
        ownLog('summarize-realtime-run'),
        TRACING,
      ],
    });
  });

  it('the state machine invokes its functions, runs its Map and logs, and no more', () => {
    expect(policy(deployed, 'realtime-embedding')).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['lambda:InvokeFunction'],
          Resource: [
            `${LAMBDA}:embedding-find-receipts-realtime-lambda-dev`,
            `${LAMBDA}:embedding-process-receipt-realtime-lambda-dev`,
            `${LAMBDA}:embedding-summarize-realtime-run-lambda-dev`,
          ],
        },
        {
          Effect: 'Allow',
          Action: ['states:StartExecution'],
          Resource: [`${STATES}:stateMachine:realtime-embedding-sf-dev`],
        },
        {
          Effect: 'Allow',
          Action: ['states:DescribeExecution', 'states:StopExecution'],
          Resource: [`${STATES}:execution:realtime-embedding-sf-dev:*`],
        },
        {
          Effect: 'Allow',
          Action: ['states:RedriveExecution'],
          Resource: [`${STATES}:execution:realtime-embedding-sf-dev/ProcessReceipts:*`],
        },
        {
          Effect: 'Allow',
          Action: ['s3:GetObject'],
          Resource: [`${BUCKET}/runs/*/receipts.jsonl`],
        },
        {
          Effect: 'Allow',
          Action: [
            's3:PutObject',
            's3:GetObject',
            's3:ListMultipartUploadParts',
            's3:AbortMultipartUpload',
          ],
          Resource: [`${BUCKET}/runs/*/results/*`],
        },
        {
          Effect: 'Allow',
          Action: [
            'logs:CreateLogDelivery',
            'logs:GetLogDelivery',
            'logs:UpdateLogDelivery',
            'logs:DeleteLogDelivery',
            'logs:ListLogDeliveries',
            'logs:PutResourcePolicy',
            'logs:DescribeResourcePolicies',
            'logs:DescribeLogGroups',
          ],
          Resource: ['*'],
        },
        {
          Effect: 'Allow',
          Action: [
            'xray:PutTraceSegments',
            'xray:PutTelemetryRecords',
            'xray:GetSamplingRules',
            'xray:GetSamplingTargets',
          ],
          Resource: ['*'],
        },
      ],
    });
  });

  it('each of the four is assumed by its own service alone', () => {
    const trust = Object.entries(resourcesOf(deployed, 'aws:iam/role:Role')).map(
      ([name, inputs]): [string, unknown] => [name, parsed(inputs['assumeRolePolicy'])],
    );
    const by = (service: string): object => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    });
    expect(Object.fromEntries(trust)).toStrictEqual({
      'find-receipts-realtime-role': by('lambda.amazonaws.com'),
      'process-receipt-realtime-role': by('lambda.amazonaws.com'),
      'summarize-realtime-run-role': by('lambda.amazonaws.com'),
      'realtime-embedding-role': by('states.amazonaws.com'),
    });
  });

  it('each of the four has its one policy on itself', () => {
    const roleOf = Object.entries(resourcesOf(deployed, 'aws:iam/rolePolicy:RolePolicy')).map(
      ([name, inputs]): [string, unknown] => [name, inputs['role']],
    );
    expect(Object.fromEntries(roleOf)).toStrictEqual({
      'find-receipts-realtime-policy': 'embedding-find-receipts-realtime-role-dev',
      'process-receipt-realtime-policy': 'embedding-process-receipt-realtime-role-dev',
      'summarize-realtime-run-policy': 'embedding-summarize-realtime-run-role-dev',
      'realtime-embedding-policy': 'realtime-sf-role-dev',
    });
  });
});

describe('with a Google Places key', () => {
  it('process_receipt_realtime reads that secret too, and nothing else more', async () => {
    const plain = policy(await runProgram(), 'process-receipt-realtime') as {
      Statement: unknown[];
    };
    const secrets = { openai_api_key: 'a', google_places_api_key: 'b' };
    const withPlaces = policy(await runProgram({ secrets }), 'process-receipt-realtime');

    const statements = [...plain.Statement];
    statements.splice(4, 0, {
      Effect: 'Allow',
      Action: ['secretsmanager:GetSecretValue'],
      Resource: [
        'arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-google-places-api-key-dev-000000',
      ],
    });
    expect(withPlaces).toStrictEqual({ Version: '2012-10-17', Statement: statements });
  });
});
