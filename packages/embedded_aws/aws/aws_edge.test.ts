import {
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
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
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
      performed.push({ service, body: request.body.toString() });
      return Promise.resolve({ status: 200, body: service === 's3' ? '' : '{}' });
    };

  beforeEach(async () => {
    performed = [];
    killed = [];
    edge = new AwsEdge({
      services: {
        dynamodb: obliging('dynamodb'),
        lambda: obliging('lambda'),
        s3: obliging('s3'),
        secretsmanager: obliging('secretsmanager'),
        states: obliging('states'),
      },
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
    s3: (key = FUNCTION_KEY) =>
      new S3Client(settings(key)).send(
        new PutObjectCommand({ Bucket: 'vectors', Key: 'key', Body: 'x' }),
      ),
    secretsmanager: (key = FUNCTION_KEY) =>
      new SecretsManagerClient(settings(key)).send(new GetSecretValueCommand({ SecretId: 'key' })),
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
      ['s3', 503, 'SlowDown'],
      ['s3', 409, 'ConditionalRequestConflict'],
      ['s3', 403, 'AccessDenied'],
      ['secretsmanager', 400, 'AccessDeniedException'],
      ['secretsmanager', 500, 'InternalServiceError'],
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

    it('strikes as many times as it says', async () => {
      edge.faults.add({ when: always, ...fault, times: 2 });
      expect([await broken(), await broken()]).toStrictEqual([SERVICES.slice(0, 2), []]);
    });

    it('strikes until it is removed, and never again', async () => {
      const remove = edge.faults.add({ when: always, ...fault });
      expect(await broken()).toStrictEqual(SERVICES);
      remove();
      expect(await broken()).toStrictEqual([]);
    });

    it('gives way to an older one that matches too, until that is used up', async () => {
      edge.faults.add({ when: always, ...fault, code: 'ThrottlingException', times: 1 });
      edge.faults.add({ when: always, ...fault });
      const names = [(await rejection(ASK.states())).name, (await rejection(ASK.states())).name];
      expect(names).toStrictEqual(['ThrottlingException', 'ValidationException']);
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
});

describe('waiting time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const wait = (milliseconds: number) => () =>
    new Promise<undefined>((resolve) => {
      setTimeout(() => {
        resolve(undefined);
      }, milliseconds);
    });

  /** `caller` asks at `from`, and is answered at `to`. */
  async function ask(
    waiting: WaitingTime,
    requests: readonly (readonly [caller: string, from: number, to: number])[],
  ): Promise<number> {
    const all = requests.map(async ([caller, from, to]) => {
      await wait(from)();
      await waiting.during(caller, wait(to - from));
    });
    await vi.runAllTimersAsync();
    await Promise.all(all);
    return waiting.milliseconds;
  }

  describe('the time that callers wait', () => {
    it('is none at first', () => {
      expect(new WaitingTime().milliseconds).toBe(0);
    });

    it('adds up over requests one after the other', async () => {
      const requests = [
        ['a', 0, 10],
        ['a', 30, 35],
      ] as const;
      expect(await ask(new WaitingTime(), requests)).toBe(15);
    });

    it('counts a caller once while several of its requests are under way', async () => {
      const requests = [
        ['a', 0, 10],
        ['a', 5, 30],
        ['a', 6, 8],
      ] as const;
      expect(await ask(new WaitingTime(), requests)).toBe(30);
    });

    it('counts each caller for itself', async () => {
      const requests = [
        ['a', 0, 10],
        ['b', 5, 30],
      ] as const;
      expect(await ask(new WaitingTime(), requests)).toBe(35);
    });

    it('counts a request that fails too, and gives its error', async () => {
      const waiting = new WaitingTime();
      const failing = waiting.during('a', async () => {
        await wait(10)();
        throw new Error('no');
      });
      const failed = expect(failing).rejects.toThrow('no');
      await vi.runAllTimersAsync();
      await failed;
      expect(waiting.milliseconds).toBe(10);
      expect(await ask(waiting, [['a', 0, 5]])).toBe(15);
    });

    it('gives the result of the work', async () => {
      expect(await new WaitingTime().during('a', () => Promise.resolve('done'))).toBe('done');
    });
  });
});
