import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classify } from '../aws/aws_edge.ts';
import { type RunningServer, serve } from '../http/server.ts';
import type { Call } from './policy_document.ts';
import { requestCalls } from './request_calls.ts';

let server: RunningServer;
let calls: readonly Call[];

beforeAll(async () => {
  server = await serve((request) => {
    calls = requestCalls(classify(request), request, { region: 'us-east-1', accountId: '1' });
    return Promise.resolve({ status: 400, body: '' });
  }, 0);
});

afterAll(() => server.close());

const settings = () => ({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  forcePathStyle: true,
  maxAttempts: 1,
});

const TABLE = 'arn:aws:dynamodb:us-east-1:1:table/rows';
const OTHER = 'arn:aws:dynamodb:us-east-1:1:table/others';
const BUCKET = 'arn:aws:s3:::bucket';
const KEY = `${BUCKET}/a/key one`;
const LAMBDA = 'arn:aws:lambda:us-east-1:1:function:work';
const SECRET = 'arn:aws:secretsmanager:us-east-1:1:secret:key';
const MACHINE = 'arn:aws:states:us-east-1:1:stateMachine:poll';
const EXECUTION = 'arn:aws:states:us-east-1:1:execution:poll:1';
const MAP_RUN = 'arn:aws:states:us-east-1:1:mapRun:poll/Label:1';

const dynamodb = (): DynamoDBClient => new DynamoDBClient(settings());
const s3 = (): S3Client => new S3Client(settings());
const lambda = (): LambdaClient => new LambdaClient(settings());
const sfn = (): SFNClient => new SFNClient(settings());
const secrets = (): SecretsManagerClient => new SecretsManagerClient(settings());

const Key = { PK: { S: '1' } };
const at = { Bucket: 'bucket', Key: 'a/key one' };
const part = { ...at, UploadId: 'u', PartNumber: 1 };

/** A request of AWS's own client, and what IAM has to say yes to. */
const REQUESTS: readonly [string, () => Promise<unknown>, ...(readonly [string, string])[]][] = [
  [
    'GetItem',
    () => dynamodb().send(new GetItemCommand({ TableName: 'rows', Key })),
    ['dynamodb:GetItem', TABLE],
  ],
  [
    'GetItem by ARN',
    () => dynamodb().send(new GetItemCommand({ TableName: TABLE, Key })),
    ['dynamodb:GetItem', TABLE],
  ],
  [
    'Query of an index',
    () => dynamodb().send(new QueryCommand({ TableName: 'rows', IndexName: 'GSI1' })),
    ['dynamodb:Query', `${TABLE}/index/GSI1`],
  ],
  [
    'BatchWriteItem',
    () =>
      dynamodb().send(
        new BatchWriteItemCommand({
          RequestItems: {
            rows: [{ DeleteRequest: { Key } }],
            others: [{ PutRequest: { Item: Key } }],
          },
        }),
      ),
    ['dynamodb:BatchWriteItem', TABLE],
    ['dynamodb:BatchWriteItem', OTHER],
  ],
  [
    'BatchGetItem',
    () => dynamodb().send(new BatchGetItemCommand({ RequestItems: { rows: { Keys: [Key] } } })),
    ['dynamodb:BatchGetItem', TABLE],
  ],
  [
    'TransactWriteItems',
    () =>
      dynamodb().send(
        new TransactWriteItemsCommand({
          TransactItems: [
            { Put: { TableName: 'rows', Item: Key } },
            { Update: { TableName: 'others', Key, UpdateExpression: 'REMOVE a' } },
            { Delete: { TableName: 'rows', Key } },
            { ConditionCheck: { TableName: 'rows', Key, ConditionExpression: 'a = b' } },
          ],
        }),
      ),
    ['dynamodb:PutItem', TABLE],
    ['dynamodb:UpdateItem', OTHER],
    ['dynamodb:DeleteItem', TABLE],
    ['dynamodb:ConditionCheckItem', TABLE],
  ],
  ['ListTables', () => dynamodb().send(new ListTablesCommand({})), ['dynamodb:ListTables', '*']],
  ['GetObject', () => s3().send(new GetObjectCommand(at)), ['s3:GetObject', KEY]],
  ['HeadObject', () => s3().send(new HeadObjectCommand(at)), ['s3:GetObject', KEY]],
  [
    'PutObject that must not be there',
    () => s3().send(new PutObjectCommand({ ...at, Body: 'x', IfNoneMatch: '*' })),
    ['s3:PutObject', KEY],
  ],
  [
    'CopyObject',
    () => s3().send(new CopyObjectCommand({ ...at, CopySource: '/from/its%20key?versionId=null' })),
    ['s3:GetObject', 'arn:aws:s3:::from/its key'],
    ['s3:PutObject', KEY],
  ],
  [
    'CreateMultipartUpload',
    () => s3().send(new CreateMultipartUploadCommand(at)),
    ['s3:PutObject', KEY],
  ],
  [
    'UploadPart',
    () => s3().send(new UploadPartCommand({ ...part, Body: 'x' })),
    ['s3:PutObject', KEY],
  ],
  [
    'CompleteMultipartUpload',
    () => s3().send(new CompleteMultipartUploadCommand(part)),
    ['s3:PutObject', KEY],
  ],
  [
    'AbortMultipartUpload',
    () => s3().send(new AbortMultipartUploadCommand(part)),
    ['s3:AbortMultipartUpload', KEY],
  ],
  ['ListParts', () => s3().send(new ListPartsCommand(part)), ['s3:ListMultipartUploadParts', KEY]],
  ['DeleteObject', () => s3().send(new DeleteObjectCommand(at)), ['s3:DeleteObject', KEY]],
  [
    'DeleteObjects',
    () =>
      s3().send(
        new DeleteObjectsCommand({
          Bucket: 'bucket',
          Delete: { Objects: [{ Key: 'a/key one' }, { Key: 'two' }] },
        }),
      ),
    ['s3:DeleteObject', KEY],
    ['s3:DeleteObject', `${BUCKET}/two`],
  ],
  [
    'HeadBucket',
    () => s3().send(new HeadBucketCommand({ Bucket: 'bucket' })),
    ['s3:ListBucket', BUCKET],
  ],
  [
    'ListMultipartUploads',
    () => s3().send(new ListMultipartUploadsCommand({ Bucket: 'bucket' })),
    ['s3:ListBucketMultipartUploads', BUCKET],
  ],
  [
    'GetBucketLocation',
    () => s3().send(new GetBucketLocationCommand({ Bucket: 'bucket' })),
    ['s3:GetBucketLocation', BUCKET],
  ],
  [
    'CreateBucket',
    () => s3().send(new CreateBucketCommand({ Bucket: 'bucket' })),
    ['s3:CreateBucket', BUCKET],
  ],
  ['ListBuckets', () => s3().send(new ListBucketsCommand({})), ['s3:ListAllMyBuckets', '*']],
  [
    'an operation that the stand-in refuses',
    () => s3().send(new GetBucketVersioningCommand({ Bucket: 'bucket' })),
  ],
  [
    'GetSecretValue',
    () => secrets().send(new GetSecretValueCommand({ SecretId: SECRET })),
    ['secretsmanager:GetSecretValue', SECRET],
  ],
  [
    'GetSecretValue by name',
    () => secrets().send(new GetSecretValueCommand({ SecretId: 'key' })),
    ['secretsmanager:GetSecretValue', SECRET],
  ],
  [
    'Invoke by name',
    () => lambda().send(new InvokeCommand({ FunctionName: 'work' })),
    ['lambda:InvokeFunction', LAMBDA],
  ],
  [
    'Invoke by ARN, of a version',
    () => lambda().send(new InvokeCommand({ FunctionName: LAMBDA, Qualifier: '7' })),
    ['lambda:InvokeFunction', `${LAMBDA}:7`],
  ],
  [
    'StartExecution',
    () => sfn().send(new StartExecutionCommand({ stateMachineArn: MACHINE, input: '{}' })),
    ['states:StartExecution', MACHINE],
  ],
  [
    'DescribeExecution',
    () => sfn().send(new DescribeExecutionCommand({ executionArn: EXECUTION })),
    ['states:DescribeExecution', EXECUTION],
  ],
  [
    'DescribeMapRun',
    () => sfn().send(new DescribeMapRunCommand({ mapRunArn: MAP_RUN })),
    ['states:DescribeMapRun', MAP_RUN],
  ],
  [
    'ListStateMachines',
    () => sfn().send(new ListStateMachinesCommand({})),
    ['states:ListStateMachines', '*'],
  ],
];

describe('a request asks for', () => {
  it.each(REQUESTS)('its actions on its resources: %s', async (_, ask, ...expected) => {
    calls = [{ action: 'nothing', resource: 'was asked' }];
    await ask().catch(() => undefined);
    expect(calls).toStrictEqual(expected.map(([action, resource]) => ({ action, resource })));
  });

  it('a listing under the prefix that it names', async () => {
    await s3()
      .send(new ListObjectsV2Command({ Bucket: 'bucket', Prefix: 'runs/', Delimiter: '/' }))
      .catch(() => undefined);
    expect(calls).toStrictEqual([
      {
        action: 's3:ListBucket',
        resource: BUCKET,
        context: { 's3:prefix': 'runs/', 's3:delimiter': '/' },
      },
    ]);
  });
});
