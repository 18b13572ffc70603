import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  BatchExecuteStatementCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  ListTagsForResourceCommand,
  ListVectorsCommand,
  QueryVectorsCommand,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type RunningServer, serve } from '../http/server.ts';
import type { Service } from '../http/service.ts';
import { AwsEdge, type AwsRequest, type AwsService, classify, WaitingTime } from './aws_edge.ts';

describe('aws edge', () => {
  const FUNCTION_KEY = 'ASIAFUNCTION';

  let edge: AwsEdge;
  let server: RunningServer;
  /** What reached a service. */
  let performed: { readonly service: AwsService; readonly body: string }[];
  let killed: string[];

  /** A service that does whatever it is asked. */
  const obliging =
    (service: AwsService): Service =>
    (request) => {
      const body = request.body.toString();
      performed.push({ service, body });
      const Responses = body.match(/"Statement"/g)?.map(() => ({ TableName: 'rows' }));
      return Promise.resolve({
        status: 200,
        body: service === 's3' ? '' : JSON.stringify({ Responses }),
      });
    };

  beforeEach(async () => {
    performed = [];
    killed = [];
    edge = new AwsEdge({
      services: {
        dynamodb: obliging('dynamodb'),
        lambda: obliging('lambda'),
        logs: obliging('logs'),
        s3: obliging('s3'),
        s3vectors: obliging('s3vectors'),
        secretsmanager: obliging('secretsmanager'),
        sqs: obliging('sqs'),
        states: obliging('states'),
      },
      keyOf: () => ({ secretAccessKey: 'local' }),
      functionOf: (accessKeyId) => (accessKeyId === FUNCTION_KEY ? 'work' : undefined),
      kill: (accessKeyId) => killed.push(accessKeyId),
    });
    server = await serve(edge.handle, 0);
  });

  afterEach(() => server.close());

  function settings(accessKeyId: string) {
    return {
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey: 'local' },
      maxAttempts: 1,
    };
  }

  /** One request to each service, by a function unless another's key is given. */
  const ASK: Readonly<Record<AwsService, (accessKeyId?: string) => Promise<unknown>>> = {
    dynamodb: (key = FUNCTION_KEY) =>
      new DynamoDBClient(settings(key)).send(
        new GetItemCommand({ TableName: 'rows', Key: { PK: { S: '1' } } }),
      ),
    lambda: (key = FUNCTION_KEY) =>
      new LambdaClient(settings(key)).send(new InvokeCommand({ FunctionName: 'work' })),
    logs: (key = FUNCTION_KEY) =>
      new CloudWatchLogsClient(settings(key)).send(
        new FilterLogEventsCommand({ logGroupName: '/aws/lambda/work' }),
      ),
    s3: (key = FUNCTION_KEY) =>
      new S3Client(settings(key)).send(
        new PutObjectCommand({ Bucket: 'vectors', Key: 'key', Body: 'x' }),
      ),
    s3vectors: (key = FUNCTION_KEY) =>
      new S3VectorsClient(settings(key)).send(
        new ListVectorsCommand({ vectorBucketName: 'vectors', indexName: 'lines' }),
      ),
    secretsmanager: (key = FUNCTION_KEY) =>
      new SecretsManagerClient(settings(key)).send(new GetSecretValueCommand({ SecretId: 'key' })),
    sqs: (key = FUNCTION_KEY) =>
      new SQSClient(settings(key)).send(new GetQueueUrlCommand({ QueueName: 'jobs' })),
    states: (key = FUNCTION_KEY) =>
      new SFNClient(settings(key)).send(new ListStateMachinesCommand({})),
  };
  const SERVICES = Object.keys(ASK) as AwsService[];

  const always = (): boolean => true;

  describe('without a fault', () => {
    it.each(SERVICES)('a request reaches %s alone', async (service) => {
      await ASK[service]();
      expect(performed.map((request) => request.service)).toStrictEqual([service]);
    });
  });

  describe('an error', () => {
    it.each<[AwsService, number, string]>([
      ['dynamodb', 400, 'ProvisionedThroughputExceededException'],
      ['dynamodb', 400, 'ThrottlingException'],
      ['dynamodb', 503, 'ServiceUnavailable'],
      ['lambda', 429, 'TooManyRequestsException'],
      ['lambda', 500, 'ServiceException'],
      ['logs', 400, 'ThrottlingException'],
      ['s3', 503, 'SlowDown'],
      ['s3', 409, 'ConditionalRequestConflict'],
      ['s3', 403, 'AccessDenied'],
      ['s3vectors', 429, 'TooManyRequestsException'],
      ['s3vectors', 503, 'ServiceUnavailableException'],
      ['secretsmanager', 400, 'AccessDeniedException'],
      ['secretsmanager', 500, 'InternalServiceError'],
      ['sqs', 403, 'RequestThrottled'],
      ['states', 400, 'ThrottlingException'],
    ])('of %s with %s %s has its name in AWS’s own client', async (service, status, code) => {
      edge.faults.add({ when: always, status, code });

      const error = await rejection(ASK[service]());

      expect(error).toMatchObject({ name: code, $metadata: { httpStatusCode: status } });
      expect(performed).toStrictEqual([]);
    });
  });

  describe('a cut', () => {
    it.each(SERVICES)('of %s ends the connection, and nothing is done', async (service) => {
      edge.faults.add({ when: always, cut: true });

      expect(await rejection(ASK[service]())).toMatchObject({ code: 'ECONNRESET' });
      expect(performed).toStrictEqual([]);
      expect(killed).toStrictEqual([]);
    });
  });

  describe('the death of the function that asks', () => {
    it('comes before its request is done', async () => {
      edge.faults.add({ when: always, kill: true, moment: 'before' });

      expect(await rejection(ASK.s3())).toMatchObject({ code: 'ECONNRESET' });
      expect(killed).toStrictEqual([FUNCTION_KEY]);
      expect(performed).toStrictEqual([]);
    });

    it('or after, without its seeing the answer', async () => {
      edge.faults.add({ when: always, kill: true, moment: 'after' });

      expect(await rejection(ASK.s3())).toMatchObject({ code: 'ECONNRESET' });
      expect(killed).toStrictEqual([FUNCTION_KEY]);
      expect(performed.map(({ service }) => service)).toStrictEqual(['s3']);
    });
  });

  describe('unprocessed entries', () => {
    const put = (id: string) => ({ PutRequest: { Item: { PK: { S: id } } } });
    const write = (...ids: string[]) =>
      new DynamoDBClient(settings(FUNCTION_KEY)).send(
        new BatchWriteItemCommand({ RequestItems: { rows: ids.map(put) } }),
      );
    const writtenIds = (): string[][] =>
      performed.map(({ body }) => body.match(/(?<="S":")\w+/g) ?? []);

    it('come back, and those before them are written', async () => {
      edge.faults.add({ when: always, processed: 2 });

      const { UnprocessedItems } = await write('a', 'b', 'c', 'd');

      expect(UnprocessedItems).toStrictEqual({ rows: [put('c'), put('d')] });
      expect(writtenIds()).toStrictEqual([['a', 'b']]);
    });

    it('may be all: then nothing is written', async () => {
      edge.faults.add({ when: always, processed: 0 });

      const { UnprocessedItems } = await write('a', 'b');

      expect(UnprocessedItems).toStrictEqual({ rows: [put('a'), put('b')] });
      expect(performed).toStrictEqual([]);
    });

    it('are none when there are no more than are processed', async () => {
      edge.faults.add({ when: always, processed: 2 });

      const { UnprocessedItems } = await write('a', 'b');

      expect(UnprocessedItems).toStrictEqual({});
      expect(writtenIds()).toStrictEqual([['a', 'b']]);
    });
  });

  describe('statements that fail in a batch', () => {
    const statement = (id: string) => ({ Statement: id, Parameters: [{ S: id }] });
    const execute = (...ids: string[]) =>
      new DynamoDBClient(settings(FUNCTION_KEY)).send(
        new BatchExecuteStatementCommand({ Statements: ids.map(statement) }),
      );
    const failed = { Error: { Code: 'ThrottlingError', Message: 'ThrottlingError' } };

    it('are those behind the ones that are executed', async () => {
      edge.faults.add({ when: always, executed: 2, code: 'ThrottlingError' });

      const { Responses } = await execute('a', 'b', 'c', 'd');

      const done = { TableName: 'rows' };
      expect(Responses).toStrictEqual([done, done, failed, failed]);
      expect(performed.map(({ body }) => body.match(/(?<="S":")\w+/g))).toStrictEqual([['a', 'b']]);
    });

    it('may be all: then nothing is executed', async () => {
      edge.faults.add({ when: always, executed: 0, code: 'ThrottlingError' });

      expect((await execute('a')).Responses).toStrictEqual([failed]);
      expect(performed).toStrictEqual([]);
    });
  });

  describe('a rule', () => {
    /** Which services answer an error now. */
    async function broken(): Promise<AwsService[]> {
      const found: AwsService[] = [];
      for (const service of SERVICES) await ASK[service]().catch(() => found.push(service));
      return found;
    }

    const fault = { status: 400, code: 'ValidationException' } as const;

    it('strikes what it matches alone: a service, an operation, a function, a body', async () => {
      edge.faults.add({ when: ({ service }) => service === 's3', ...fault });
      edge.faults.add({ when: ({ operation }) => operation === 'GetSecretValue', ...fault });
      edge.faults.add({ when: ({ body }) => body.toString().includes('"rows"'), ...fault });
      edge.faults.add({ when: ({ functionName }) => functionName === 'other', ...fault });
      expect(await broken()).toStrictEqual(['dynamodb', 's3', 'secretsmanager']);
    });

    it('knows which function asks, and that a person is none', async () => {
      edge.faults.add({ when: ({ functionName }) => functionName === 'work', ...fault });
      expect((await rejection(ASK.states())).name).toBe('ValidationException');
      await ASK.states('local');
      expect(performed).toHaveLength(1);
    });
  });

  describe('a request to a service that does not exist here', () => {
    it('is answered with its name', async () => {
      const headers = { 'x-amz-target': 'AmazonSSM.GetParameter' };
      const answer = await fetch(server.url, { method: 'POST', headers });
      expect([answer.status, await answer.json()]).toMatchObject([
        501,
        { message: 'AmazonSSM.GetParameter is not implemented by the embedded AWS.' },
      ]);
      expect(performed).toStrictEqual([]);
    });
  });

  describe('requests', () => {
    it('are counted by service, those of functions alone', async () => {
      for (const service of ['s3', 's3', 'dynamodb'] as const) await ASK[service]();
      for (const service of SERVICES) await ASK[service]('local');
      expect(Object.fromEntries(edge.requests)).toStrictEqual({ s3: 2, dynamodb: 1 });
    });

    it('are counted when a fault strikes them too', async () => {
      edge.faults.add({ when: always, cut: true });
      await rejection(ASK.s3());
      expect(Object.fromEntries(edge.requests)).toStrictEqual({ s3: 1 });
    });

    it('of a person are no time that functions wait', async () => {
      await ASK.s3('local');
      expect(edge.waiting.milliseconds).toBe(0);
      await ASK.s3();
      expect(edge.waiting.milliseconds).toBeGreaterThan(0);
    });
  });
});

describe('aws request', () => {
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
  const REQUESTS: readonly [
    AwsRequest['service'],
    operation: string,
    ask: () => Promise<unknown>,
  ][] = [
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
      's3vectors',
      'QueryVectors',
      () =>
        new S3VectorsClient(settings()).send(
          new QueryVectorsCommand({
            vectorBucketName: 'vectors',
            indexName: 'lines',
            topK: 1,
            queryVector: { float32: [1] },
          }),
        ),
    ],
    [
      's3vectors',
      'ListTagsForResource',
      () =>
        new S3VectorsClient(settings()).send(
          new ListTagsForResourceCommand({ resourceArn: 'arn:aws:s3vectors' }),
        ),
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
  });
});

describe('the time that callers wait', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('counts a caller once while several of its requests are under way, failed ones too', async () => {
    const waiting = new WaitingTime();
    const wait = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, milliseconds));
    const ask = async (caller: string, from: number, to: number): Promise<void> => {
      await wait(from);
      await waiting.during(caller, () => wait(to - from));
    };
    const failing = waiting.during('c', async () => {
      await wait(7);
      throw new Error('no');
    });
    const failed = expect(failing).rejects.toThrow('no');
    const all = [ask('a', 0, 10), ask('a', 5, 30), ask('a', 50, 55), ask('b', 5, 30)];

    await vi.runAllTimersAsync();
    await Promise.all([...all, failed]);

    expect(waiting.milliseconds).toBe(35 + 25 + 7);
  });
});
