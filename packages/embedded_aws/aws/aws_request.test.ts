import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningServer, serve } from '../http/server.ts';
import { type AwsRequest, classify } from './aws_request.ts';

let server: RunningServer;
const seen: AwsRequest[] = [];

beforeAll(async () => {
  server = await serve((request) => {
    seen.push(classify(request));
    return Promise.resolve({ status: 400, body: '' });
  }, 0);
});

afterAll(() => server.close());

beforeEach(() => {
  seen.length = 0;
});

const settings = () => ({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' },
  maxAttempts: 1,
});

/** A request of AWS's own client; what it is answered does not matter here. */
const REQUESTS: readonly [AwsRequest['service'], operation: string, ask: () => Promise<unknown>][] =
  [
    [
      'dynamodb',
      'Query',
      () => new DynamoDBClient(settings()).send(new QueryCommand({ TableName: 'rows' })),
    ],
    [
      'states',
      'DescribeExecution',
      () => new SFNClient(settings()).send(new DescribeExecutionCommand({ executionArn: 'arn' })),
    ],
    [
      'secretsmanager',
      'GetSecretValue',
      () =>
        new SecretsManagerClient(settings()).send(new GetSecretValueCommand({ SecretId: 'key' })),
    ],
    [
      'lambda',
      'Invoke',
      () => new LambdaClient(settings()).send(new InvokeCommand({ FunctionName: 'work' })),
    ],
    [
      's3',
      'PUT /vectors/lines/delta/one%20two.gz',
      () =>
        new S3Client(settings()).send(
          new PutObjectCommand({ Bucket: 'vectors', Key: 'lines/delta/one two.gz', Body: 'x' }),
        ),
    ],
    [
      's3',
      'GET /vectors/key',
      () => new S3Client(settings()).send(new GetObjectCommand({ Bucket: 'vectors', Key: 'key' })),
    ],
    [
      's3',
      'GET /vectors/',
      () => new S3Client(settings()).send(new ListObjectsV2Command({ Bucket: 'vectors' })),
    ],
  ];

describe('a request of an AWS client', () => {
  it.each(REQUESTS)('to %s is known for what it is: %s', async (service, operation, ask) => {
    await ask().catch(() => undefined);
    expect(seen).toStrictEqual([{ service, operation, accessKeyId: 'ASIAEXAMPLE' }]);
  });

  it('that is not signed is nobody’s', async () => {
    await fetch(`${server.url}/vectors/key`);
    expect(seen).toStrictEqual([
      { service: 's3', operation: 'GET /vectors/key', accessKeyId: undefined },
    ]);
  });

  it('to a service that is not here counts as S3’s, which refuses what it does not know', async () => {
    await fetch(server.url, { method: 'POST', headers: { 'x-amz-target': 'Logs_20140328.Get' } });
    expect(seen).toStrictEqual([{ service: 's3', operation: 'POST /', accessKeyId: undefined }]);
  });
});
