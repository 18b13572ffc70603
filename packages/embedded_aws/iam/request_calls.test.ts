import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import {
  GetEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateIndexCommand,
  DeleteVectorsCommand,
  GetIndexCommand,
  ListIndexesCommand,
  ListVectorBucketsCommand,
  ListVectorsCommand,
  PutVectorsCommand,
  QueryVectorsCommand,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
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
const STREAM = `${TABLE}/stream/2026-01-01T00:00:00.000`;
const MAPPING = 'arn:aws:lambda:us-east-1:1:event-source-mapping:1-2';
const QUEUE = 'arn:aws:sqs:us-east-1:1:jobs';
const QueueUrl = 'http://localhost/1/jobs';
const SECRET = 'arn:aws:secretsmanager:us-east-1:1:secret:key';
const MACHINE = 'arn:aws:states:us-east-1:1:stateMachine:poll';
const EXECUTION = 'arn:aws:states:us-east-1:1:execution:poll:1';
const MAP_RUN = 'arn:aws:states:us-east-1:1:mapRun:poll/Label:1';

const VECTORS = 'arn:aws:s3vectors:us-east-1:1:bucket/vectors';
const INDEX = `${VECTORS}/index/lines`;
const index = { vectorBucketName: 'vectors', indexName: 'lines' };
const query = { ...index, topK: 1, queryVector: { float32: [1] } };

const dynamodb = (): DynamoDBClient => new DynamoDBClient(settings());
const s3 = (): S3Client => new S3Client(settings());
const lambda = (): LambdaClient => new LambdaClient(settings());
const s3vectors = (): S3VectorsClient => new S3VectorsClient(settings());
const sfn = (): SFNClient => new SFNClient(settings());
const sqs = (): SQSClient => new SQSClient(settings());
const streams = (): DynamoDBStreamsClient => new DynamoDBStreamsClient(settings());
const secrets = (): SecretsManagerClient => new SecretsManagerClient(settings());

const Key = { PK: { S: '1' } };
const at = { Bucket: 'bucket', Key: 'a/key one' };

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
    'BatchExecuteStatement',
    () =>
      dynamodb().send(
        new BatchExecuteStatementCommand({
          Statements: ['rows', 'others', 'rows'].map((table) => ({
            Statement: `UPDATE "${table}" SET a = ? WHERE PK = ?`,
          })),
        }),
      ),
    ['dynamodb:PartiQLUpdate', TABLE],
    ['dynamodb:PartiQLUpdate', OTHER],
  ],
  ['ListTables', () => dynamodb().send(new ListTablesCommand({})), ['dynamodb:ListTables', '*']],
  ['GetObject', () => s3().send(new GetObjectCommand(at)), ['s3:GetObject', KEY]],
  ['HeadObject', () => s3().send(new HeadObjectCommand(at)), ['s3:GetObject', KEY]],
  [
    'PutObject that must not be there',
    () => s3().send(new PutObjectCommand({ ...at, Body: 'x', IfNoneMatch: '*' })),
    ['s3:PutObject', KEY],
  ],
  ['DeleteObject', () => s3().send(new DeleteObjectCommand(at)), ['s3:DeleteObject', KEY]],
  [
    'DeleteObject of a version',
    () => s3().send(new DeleteObjectCommand({ ...at, VersionId: 'v1' })),
    ['s3:DeleteObjectVersion', KEY],
  ],
  [
    'an operation that the stand-in refuses',
    () => s3().send(new GetBucketVersioningCommand({ Bucket: 'bucket' })),
  ],
  [
    'PutVectors',
    () =>
      s3vectors().send(
        new PutVectorsCommand({ ...index, vectors: [{ key: 'a', data: { float32: [1] } }] }),
      ),
    ['s3vectors:PutVectors', INDEX],
  ],
  [
    'DeleteVectors by ARN',
    () => s3vectors().send(new DeleteVectorsCommand({ indexArn: INDEX, keys: ['a'] })),
    ['s3vectors:DeleteVectors', INDEX],
  ],
  [
    'QueryVectors for keys and distances',
    () => s3vectors().send(new QueryVectorsCommand({ ...query, returnDistance: true })),
    ['s3vectors:QueryVectors', INDEX],
  ],
  [
    'QueryVectors with metadata',
    () => s3vectors().send(new QueryVectorsCommand({ ...query, returnMetadata: true })),
    ['s3vectors:QueryVectors', INDEX],
    ['s3vectors:GetVectors', INDEX],
  ],
  [
    'QueryVectors with a filter',
    () => s3vectors().send(new QueryVectorsCommand({ ...query, filter: { a: 1 } })),
    ['s3vectors:QueryVectors', INDEX],
    ['s3vectors:GetVectors', INDEX],
  ],
  [
    'ListVectors for keys',
    () => s3vectors().send(new ListVectorsCommand(index)),
    ['s3vectors:ListVectors', INDEX],
  ],
  [
    'ListVectors with data',
    () => s3vectors().send(new ListVectorsCommand({ ...index, returnData: true })),
    ['s3vectors:ListVectors', INDEX],
    ['s3vectors:GetVectors', INDEX],
  ],
  ['GetIndex', () => s3vectors().send(new GetIndexCommand(index)), ['s3vectors:GetIndex', INDEX]],
  [
    'CreateIndex',
    () =>
      s3vectors().send(
        new CreateIndexCommand({
          ...index,
          dataType: 'float32',
          dimension: 1,
          distanceMetric: 'cosine',
        }),
      ),
    ['s3vectors:CreateIndex', INDEX],
  ],
  [
    'ListIndexes',
    () => s3vectors().send(new ListIndexesCommand({ vectorBucketArn: VECTORS })),
    ['s3vectors:ListIndexes', VECTORS],
  ],
  [
    'ListVectorBuckets',
    () => s3vectors().send(new ListVectorBucketsCommand({})),
    ['s3vectors:ListVectorBuckets', '*'],
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
    'ListEventSourceMappings',
    () => lambda().send(new ListEventSourceMappingsCommand({ FunctionName: 'work' })),
    ['lambda:ListEventSourceMappings', '*'],
  ],
  [
    'GetEventSourceMapping',
    () => lambda().send(new GetEventSourceMappingCommand({ UUID: '1-2' })),
    ['lambda:GetEventSourceMapping', MAPPING],
  ],
  [
    'UpdateEventSourceMapping',
    () => lambda().send(new UpdateEventSourceMappingCommand({ UUID: '1-2', Enabled: false })),
    ['lambda:UpdateEventSourceMapping', MAPPING],
  ],
  [
    'ListStreams of a table',
    () => streams().send(new ListStreamsCommand({ TableName: 'rows' })),
    ['dynamodb:ListStreams', `${TABLE}/stream/*`],
  ],
  ['ListStreams', () => streams().send(new ListStreamsCommand({})), ['dynamodb:ListStreams', '*']],
  [
    'DescribeStream',
    () => streams().send(new DescribeStreamCommand({ StreamArn: STREAM })),
    ['dynamodb:DescribeStream', STREAM],
  ],
  [
    'GetShardIterator',
    () =>
      streams().send(
        new GetShardIteratorCommand({
          StreamArn: STREAM,
          ShardId: 'shardId-00000000000000000001-00000000',
          ShardIteratorType: 'LATEST',
        }),
      ),
    ['dynamodb:GetShardIterator', STREAM],
  ],
  [
    'GetRecords',
    () => streams().send(new GetRecordsCommand({ ShardIterator: `${STREAM}|1|AAAA` })),
    ['dynamodb:GetRecords', STREAM],
  ],
  [
    'SendMessage',
    () => sqs().send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })),
    ['sqs:SendMessage', QUEUE],
  ],
  [
    'SendMessageBatch',
    () => sqs().send(new SendMessageBatchCommand({ QueueUrl, Entries: [] })),
    ['sqs:SendMessage', QUEUE],
  ],
  [
    'ReceiveMessage',
    () => sqs().send(new ReceiveMessageCommand({ QueueUrl })),
    ['sqs:ReceiveMessage', QUEUE],
  ],
  [
    'DeleteMessageBatch',
    () => sqs().send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [] })),
    ['sqs:DeleteMessage', QUEUE],
  ],
  [
    'ChangeMessageVisibility',
    () =>
      sqs().send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: 'x', VisibilityTimeout: 0 }),
      ),
    ['sqs:ChangeMessageVisibility', QUEUE],
  ],
  [
    'GetQueueUrl',
    () => sqs().send(new GetQueueUrlCommand({ QueueName: 'jobs' })),
    ['sqs:GetQueueUrl', QUEUE],
  ],
  ['ListQueues', () => sqs().send(new ListQueuesCommand({})), ['sqs:ListQueues', '*']],
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
