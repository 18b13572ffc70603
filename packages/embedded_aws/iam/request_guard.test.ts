import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PutVectorsCommand, QueryVectorsCommand, S3VectorsClient } from '@aws-sdk/client-s3vectors';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { AwsEdge, type AwsService } from '../aws/aws_edge.ts';
import { type RunningServer, serve } from '../http/server.ts';
import type { Service } from '../http/service.ts';
import { S3StandIn } from '../s3/s3_stand_in.ts';
import { sendRaw, signedHeaders } from '../testing/signed_request.ts';
import { Iam } from './iam.ts';
import { RequestGuard } from './request_guard.ts';

const WORK = 'ASIAWORK';
const ROLE_ARN = 'arn:aws:iam::1:role/worker';

let iam: Iam;
let edge: AwsEdge;
let server: RunningServer;
let performed: AwsService[];

beforeEach(async () => {
  performed = [];
  iam = new Iam('1');
  const s3 = new S3StandIn({ clock: () => new Date(0) });
  s3.createBucket('bucket');
  s3.putObject('bucket', 'there', Buffer.from('x'));
  const guard = new RequestGuard(iam, { region: 'us-east-1', accountId: '1' });
  const counted =
    (service: AwsService, perform: Service): Service =>
    (request) => {
      performed.push(service);
      return perform(request);
    };
  const obliging: Service = () => Promise.resolve({ status: 200, body: '{}' });
  edge = new AwsEdge({
    services: {
      dynamodb: counted('dynamodb', obliging),
      lambda: counted('lambda', obliging),
      logs: counted('logs', obliging),
      s3: counted('s3', s3.handle),
      s3vectors: counted('s3vectors', obliging),
      secretsmanager: counted('secretsmanager', obliging),
      sqs: counted('sqs', obliging),
      states: counted('states', obliging),
    },
    keyOf: () => ({ secretAccessKey: 'local' }),
    functionOf: (key) => (key === WORK ? 'work' : undefined),
    kill: () => undefined,
    guard: (_, ...asked) => guard.perform({ roleArn: ROLE_ARN, session: 'work' }, ...asked),
  });
  server = await serve(edge.handle, 0);
});

afterEach(() => server.close());

/** Lets the function do this and nothing else. */
function allow(...statements: readonly (readonly [action: string, resource: string])[]): void {
  const state = {
    name: 'worker',
    arn: ROLE_ARN,
    assumeRolePolicy: JSON.stringify({ Version: '2012-10-17', Statement: [] }),
    role: 'worker',
    policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: statements.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource })),
    }),
  };
  iam.deploy(
    ['aws:iam/role:Role', 'aws:iam/rolePolicy:RolePolicy'].map((type) => ({
      type,
      name: 'it',
      inputs: state,
      state,
    })),
  );
}

function settings(accessKeyId = WORK) {
  return {
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: 'local' },
    forcePathStyle: true,
    maxAttempts: 1,
  };
}

const put = (accessKeyId?: string): Promise<unknown> =>
  new DynamoDBClient(settings(accessKeyId)).send(
    new PutItemCommand({ TableName: 'rows', Item: { PK: { S: '1' } } }),
  );
const s3 = (): S3Client => new S3Client(settings());
const at = (Key: string, Bucket = 'bucket') => ({ Bucket, Key });

const refusal = (action: string, resource: string): string =>
  `User: arn:aws:sts::1:assumed-role/worker/work is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;

describe('a request that a role does not allow', () => {
  it.each<[string, string, number, string, string, () => Promise<unknown>]>([
    [
      'DynamoDB',
      'AccessDeniedException',
      400,
      'dynamodb:PutItem',
      'arn:aws:dynamodb:us-east-1:1:table/rows',
      put,
    ],
    [
      'S3',
      'AccessDenied',
      403,
      's3:PutObject',
      'arn:aws:s3:::bucket/a',
      () => s3().send(new PutObjectCommand({ ...at('a'), Body: 'x' })),
    ],
    [
      'S3 Vectors',
      'AccessDeniedException',
      403,
      's3vectors:PutVectors',
      'arn:aws:s3vectors:us-east-1:1:bucket/vectors/index/lines',
      () =>
        new S3VectorsClient(settings()).send(
          new PutVectorsCommand({
            vectorBucketName: 'vectors',
            indexName: 'lines',
            vectors: [{ key: 'a', data: { float32: [1] } }],
          }),
        ),
    ],
    [
      'Secrets Manager',
      'AccessDeniedException',
      400,
      'secretsmanager:GetSecretValue',
      'arn:aws:secretsmanager:us-east-1:1:secret:key',
      () =>
        new SecretsManagerClient(settings()).send(new GetSecretValueCommand({ SecretId: 'key' })),
    ],
    [
      'Lambda',
      'AccessDeniedException',
      403,
      'lambda:InvokeFunction',
      'arn:aws:lambda:us-east-1:1:function:other',
      () => new LambdaClient(settings()).send(new InvokeCommand({ FunctionName: 'other' })),
    ],
    [
      'Step Functions',
      'AccessDeniedException',
      400,
      'states:StartExecution',
      'arn:aws:states:us-east-1:1:stateMachine:poll',
      () =>
        new SFNClient(settings()).send(
          new StartExecutionCommand({
            stateMachineArn: 'arn:aws:states:us-east-1:1:stateMachine:poll',
          }),
        ),
    ],
    [
      'SQS',
      'AccessDenied',
      403,
      'sqs:ReceiveMessage',
      'arn:aws:sqs:us-east-1:1:jobs',
      () =>
        new SQSClient(settings()).send(
          new ReceiveMessageCommand({ QueueUrl: 'http://localhost/1/jobs' }),
        ),
    ],
  ])('is denied by %s as %s (%i), and not done', async (_, name, status, action, resource, ask) => {
    allow([action, `${resource}x`], ['s3:GetObject', resource]);

    expect(await rejection(ask())).toMatchObject({
      name,
      message: refusal(
        action.replace(/^sqs:.*/, (sqs) => sqs.toLowerCase()),
        resource,
      ),
      $metadata: { httpStatusCode: status },
    });
    expect(performed).toStrictEqual([]);

    allow([action, resource]);
    await ask();
    expect(performed).toHaveLength(1);
  });

  it('is a query by metadata too, where vectors may be searched and not read', async () => {
    const index = 'arn:aws:s3vectors:us-east-1:1:bucket/vectors/index/lines';
    const query = (more: object) =>
      new S3VectorsClient(settings()).send(
        new QueryVectorsCommand({
          indexArn: index,
          topK: 1,
          queryVector: { float32: [1] },
          ...more,
        }),
      );
    allow(['s3vectors:QueryVectors', index]);
    await query({ returnDistance: true });
    for (const more of [{ filter: { a: 1 } }, { returnMetadata: true }]) {
      expect(await rejection(query(more))).toMatchObject({
        name: 'AccessDeniedException',
        message: refusal('s3vectors:GetVectors', index),
        $metadata: { httpStatusCode: 403 },
      });
    }
    allow(['s3vectors:QueryVectors', index], ['s3vectors:GetVectors', index]);
    await query({ filter: { a: 1 }, returnMetadata: true });
    expect(performed).toStrictEqual(['s3vectors', 's3vectors']);
  });

  it('is a person’s own business', async () => {
    await put('local');
    expect(performed).toStrictEqual(['dynamodb']);
    expect(iam.record.calls).toStrictEqual([]);
  });

  it('is not asked for when it is struck before', async () => {
    edge.faults.add({
      when: () => true,
      status: 400,
      code: 'ThrottlingException',
    });
    expect((await rejection(put())).name).toBe('ThrottlingException');
    expect(iam.record.calls).toStrictEqual([]);
  });

  it('is denied too when its answer is lost', async () => {
    allow();
    edge.faults.add({ when: () => true, cut: true, moment: 'after' });
    expect(await rejection(put())).toMatchObject({ code: 'ECONNRESET' });
    expect(performed).toStrictEqual([]);
  });

  it('that nobody can read is its service’s to refuse', async () => {
    allow();
    const request = { headers: { 'x-amz-target': 'DynamoDB_20120810.PutItem' }, body: '{' };
    const credentials = { accessKeyId: WORK, secretAccessKey: 'local' };
    const headers = await signedHeaders(server.url, 'dynamodb', credentials, request);
    const response = await sendRaw(server.url, { ...request, headers });
    expect(response.status).toBe(200);
    expect(performed).toStrictEqual(['dynamodb']);
  });
});

describe('an object that is not there', () => {
  const READ = ['s3:GetObject', 'arn:aws:s3:::*/*'] as const;
  const LIST = ['s3:ListBucket', 'arn:aws:s3:::bucket'] as const;

  it('is denied to a role that may not list the bucket', async () => {
    allow(READ);
    expect(await rejection(s3().send(new GetObjectCommand(at('missing'))))).toMatchObject({
      name: 'AccessDenied',
      message: refusal('s3:ListBucket', 'arn:aws:s3:::bucket'),
      $metadata: { httpStatusCode: 403 },
    });
    expect(await rejection(s3().send(new HeadObjectCommand(at('missing'))))).toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    // It is nothing that was asked for.
    expect(iam.record.calls.map(({ action, count }) => [action, count])).toStrictEqual([
      ['s3:GetObject', 2],
    ]);
  });

  it('is missing to a role that may', async () => {
    allow(READ, LIST);
    expect((await rejection(s3().send(new GetObjectCommand(at('missing'))))).name).toBe(
      'NoSuchKey',
    );
    expect(await rejection(s3().send(new HeadObjectCommand(at('missing'))))).toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('may be written where it must not be there, and then not again', async () => {
    allow(['s3:PutObject', 'arn:aws:s3:::bucket/*']);
    const write = new PutObjectCommand({ ...at('once'), Body: 'x', IfNoneMatch: '*' });
    await s3().send(write);
    expect((await rejection(s3().send(write))).name).toBe('PreconditionFailed');
  });

  it('in a bucket that is not there either has no bucket, for everybody', async () => {
    allow(READ);
    const error = await rejection(s3().send(new GetObjectCommand(at('missing', 'nowhere'))));
    expect(error.name).toBe('NoSuchBucket');
  });

  it('does not keep another from being read, nor its bucket from being listed', async () => {
    allow(READ, LIST);
    const { Body } = await s3().send(new GetObjectCommand(at('there')));
    expect(await Body?.transformToString()).toBe('x');
    const { KeyCount } = await s3().send(new ListObjectsV2Command({ Bucket: 'bucket' }));
    expect(KeyCount).toBe(1);
  });
});
