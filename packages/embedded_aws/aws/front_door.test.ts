import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetItemCommand, ListTablesCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ListVectorBucketsCommand, S3VectorsClient } from '@aws-sdk/client-s3vectors';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { MAX_JSON_DEPTH } from '../http/json_text.ts';
import { smallProgram } from '../testing/program.ts';
import {
  type RawAnswer,
  type RawRequest,
  sendRaw,
  signedHeaders,
} from '../testing/signed_request.ts';
import { AWS_SERVICES, type AwsService } from './aws_edge.ts';
import { clientSettings, type Credentials, S3_SETTINGS } from './client_settings.ts';
import { type EmbeddedAws, startEmbeddedAws } from './embedded_aws.ts';

// Not proved here: what a browser sends. The headers are those of the Fetch standard.

const SECRET = 'secret-of-a-test';

let code: string;
let aws: EmbeddedAws;
let bucket: string;

beforeAll(async () => {
  code = await mkdtemp(join(tmpdir(), 'front-door-'));
  aws = await startEmbeddedAws({
    program: () => smallProgram(code),
    project: 'small',
    port: 0,
    stack: 'dev',
    config: {},
    secrets: { api_key: SECRET },
    enforceIam: true,
  });
  bucket = aws.deployment.outputs['bucket'] as string;
});

afterAll(async () => {
  await aws.close();
  await rm(code, { recursive: true });
});

const INVOKE = '/2015-03-31/functions/work/invocations';

/** A request with an effect, or for a secret, of each service. */
const ASKED: Readonly<Record<AwsService, () => RawRequest>> = {
  dynamodb: () => ({
    headers: { 'x-amz-target': 'DynamoDB_20120810.PutItem' },
    body: '{"TableName":"small-rows","Item":{"PK":{"S":"1"}}}',
  }),
  lambda: () => ({ path: INVOKE, body: '{"key":"one"}' }),
  logs: () => ({
    headers: { 'x-amz-target': 'Logs_20140328.FilterLogEvents' },
    body: '{"logGroupName":"/aws/lambda/work"}',
  }),
  s3: () => ({ method: 'PUT', path: `/${bucket}/a%20b`, body: 'x' }),
  s3vectors: () => ({
    path: '/PutVectors',
    body: '{"vectorBucketName":"small-vectors","indexName":"rows","vectors":[{"key":"a","data":{"float32":[1,2]}}]}',
  }),
  secretsmanager: () => ({
    headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' },
    body: '{"SecretId":"key"}',
  }),
  sqs: () => ({
    headers: { 'x-amz-target': 'AmazonSQS.SendMessage' },
    body: '{"QueueUrl":"/000000000000/small-jobs","MessageBody":"x"}',
  }),
  states: () => ({
    headers: { 'x-amz-target': 'AWSStepFunctions.StartExecution' },
    body: `{"stateMachineArn":"${String(aws.deployment.outputs['machine'])}"}`,
  }),
};

async function sendSigned(
  service: AwsService,
  request: RawRequest,
  credentials: Credentials = aws.credentials,
  scope: string = service,
): Promise<RawAnswer> {
  const headers = await signedHeaders(aws.url, scope, credentials, request);
  return await sendRaw(aws.url, { ...request, headers });
}

/** How often functions and state machines ran, and what is stored: what a refused request must not change. */
async function effects(): Promise<unknown> {
  const executions = await aws.clients.sfn.send(new ListStateMachinesCommand({}));
  const { Item } = await aws.clients.dynamodb.send(
    new GetItemCommand({ TableName: 'small-rows', Key: { PK: { S: '1' } } }),
  );
  return [
    executions.stateMachines?.length,
    Item,
    aws.s3.listKeys(bucket, ''),
    aws.s3vectors.vectors({ vectorBucketName: 'small-vectors', indexName: 'rows' }).size,
    aws.lambda.activity.get('work')?.invocations,
    aws.sqs.queueOf('arn:aws:sqs:us-east-1:000000000000:small-jobs')?.counts.available,
  ];
}

describe('a request that is not signed', () => {
  it.each<[AwsService, number, string]>([
    ['dynamodb', 400, 'MissingAuthenticationTokenException'],
    ['lambda', 403, 'MissingAuthenticationTokenException'],
    ['logs', 400, 'MissingAuthenticationTokenException'],
    ['s3', 403, 'AccessDenied'],
    ['s3vectors', 403, 'MissingAuthenticationTokenException'],
    ['secretsmanager', 400, 'MissingAuthenticationTokenException'],
    ['sqs', 403, 'MissingAuthenticationTokenException'],
    ['states', 400, 'MissingAuthenticationTokenException'],
  ])('is refused by %s, and has no effect', async (service, status, name) => {
    const before = await effects();
    const answer = await sendRaw(aws.url, ASKED[service]());
    expect(answer).toMatchObject({ status, code: name });
    expect(answer.text).not.toContain(SECRET);
    expect(await effects()).toStrictEqual(before);
  });
});

describe('a request that is signed', () => {
  it.each(AWS_SERVICES)('with the key of this start is answered by %s', async (service) => {
    expect((await sendSigned(service, ASKED[service]())).status).toBe(200);
  });

  const WRONG: Readonly<Record<string, Readonly<Record<AwsService, string>>>> = {
    'another secret': each('InvalidSignatureException', 'SignatureDoesNotMatch'),
    'another key': each('UnrecognizedClientException', 'InvalidAccessKeyId'),
    'a token that it does not have': each('UnrecognizedClientException', 'InvalidToken'),
  };
  const CREDENTIALS: Readonly<Record<string, () => Credentials>> = {
    'another secret': () => ({ ...aws.credentials, secretAccessKey: 'local' }),
    'another key': () => ({ ...aws.credentials, accessKeyId: 'ASIAGONE' }),
    'a token that it does not have': () => ({ ...aws.credentials, sessionToken: 'token' }),
  };
  function each(others: string, s3: string): Readonly<Record<AwsService, string>> {
    return {
      dynamodb: others,
      lambda: others,
      logs: others,
      s3,
      s3vectors: others,
      secretsmanager: others,
      sqs: others,
      states: others,
    };
  }

  it.each(
    Object.entries(WRONG).flatMap(([what, names]) =>
      AWS_SERVICES.map((service) => [what, service, names[service]] as const),
    ),
  )('with %s is refused by %s: %s', async (what, service, name) => {
    const before = await effects();
    const credentials = CREDENTIALS[what]?.();
    expect((await sendSigned(service, ASKED[service](), credentials)).code).toBe(name);
    expect(await effects()).toStrictEqual(before);
  });

  it.each<[string, (headers: Record<string, string>) => Partial<RawRequest>]>([
    ['body', () => ({ body: '{"SecretId":"another"}' })],
    ['operation', (headers) => ({ headers: { ...headers, 'x-amz-target': 'secretsmanager.Put' } })],
    ['path', () => ({ path: '/other' })],
    ['query', () => ({ query: { more: '1' } })],
    ['date', (headers) => ({ headers: { ...headers, 'x-amz-date': '20200101T000000Z' } })],
    ['further headers', (headers) => ({ headers: { ...headers, 'x-amz-more': '1' } })],
  ])('and whose %s is changed afterwards is refused', async (_, change) => {
    const request = ASKED.secretsmanager();
    const headers = await signedHeaders(aws.url, 'secretsmanager', aws.credentials, request);
    const changed = { ...request, headers, ...change(headers) };
    const { code: name } = await sendRaw(aws.url, changed);
    expect(['InvalidSignatureException', 'IncompleteSignatureException']).toContain(name);
  });

  it('for another service is refused', async () => {
    const answer = await sendSigned('dynamodb', ASKED.dynamodb(), aws.credentials, 'states');
    expect(answer.code).toBe('InvalidSignatureException');
  });

  it.each([
    ['a query and a path with every kind of character', '/%C3%A4%2B%20!%27%28%29%2A~/x'],
    ['an empty path', '/'],
  ])('of S3 may have %s', async (_, path) => {
    const query = { 'list-type': '2', list: '', prefix: "ä+ !'()*~/=&" };
    const answer = await sendSigned('s3', { method: 'GET', path, query });
    expect(answer.code).not.toBe('SignatureDoesNotMatch');
  });

  it('by the SDK’s clients is answered, whatever they send', async () => {
    const settings = clientSettings(aws);
    const s3 = new S3Client({ ...settings, ...S3_SETTINGS });
    const Key = "ä b+c/!'()*~=&$.gz";
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key, Body: 'x', Metadata: { a: 'b  c' } }),
    );
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: 'ä b+' }),
    );
    expect(Contents.map((object) => object.Key)).toStrictEqual([Key]);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    expect(await Body?.transformToString()).toBe('x');
    const { Payload } = await new LambdaClient(settings).send(
      new InvokeCommand({
        FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:work',
        Payload: '{"key":"ü"}',
      }),
    );
    expect(Buffer.from(Payload ?? []).toString()).toBe('{"key":"ü","table":"small-rows"}');
    await new SFNClient(settings).send(new ListStateMachinesCommand({}));
    await new DynamoDBClient(settings).send(new ListTablesCommand({}));
    await new S3VectorsClient(settings).send(new ListVectorBucketsCommand({}));
  });

  it('with the temporary credentials of a function is that function’s, while its environment lives', async () => {
    const { text } = await sendSigned('lambda', { path: INVOKE, body: '{"key":"environment"}' });
    const variables = JSON.parse(text) as Record<string, string>;
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
      variables;
    const sessionToken = variables['AWS_SESSION_TOKEN'] ?? '';
    const ask = async (credentials: Credentials): Promise<string> =>
      (await sendSigned('secretsmanager', ASKED.secretsmanager(), credentials)).code;

    // The role of this function allows nothing: it is known, and denied.
    const credentials = { accessKeyId, secretAccessKey, sessionToken };
    expect(await ask(credentials)).toBe('AccessDeniedException');
    expect(await ask({ accessKeyId, secretAccessKey })).toBe('UnrecognizedClientException');
    aws.lambda.kill(accessKeyId);
    await sendSigned('lambda', ASKED.lambda());
    expect(await ask(credentials)).toBe('UnrecognizedClientException');
  });

  it('with a key of an earlier start is not answered', async () => {
    const other = await startEmbeddedAws({
      program: () => Promise.resolve({}),
      project: 'small',
      port: 0,
      stack: 'dev',
      config: {},
      secrets: {},
    });
    const { secretAccessKey } = other.credentials;
    await other.close();
    expect(secretAccessKey).toMatch(/^[\w-]{40}$/);
    expect(secretAccessKey).not.toBe(aws.credentials.secretAccessKey);
    const client = new SecretsManagerClient(
      clientSettings({ url: aws.url, credentials: other.credentials }),
    );
    const asked = client.send(new GetSecretValueCommand({ SecretId: 'key' }));
    expect((await rejection(asked)).name).toBe('InvalidSignatureException');
  });
});

describe('a request from elsewhere, though signed', () => {
  const port = (): string => new URL(aws.url).port;

  it.each<[string, number, () => Record<string, string>]>([
    ['to another name', 421, () => ({ host: `evil.example:${port()}` })],
    ['to another name without a port', 421, () => ({ host: 'evil.example' })],
    ['to a name that begins as ours', 421, () => ({ host: `localhost.evil.example:${port()}` })],
    ['to another port', 421, () => ({ host: 'localhost:1' })],
    ['of another site’s page', 403, () => ({ origin: 'http://evil.example' })],
    ['of a page of another port', 403, () => ({ origin: 'http://localhost:3000' })],
    ['of a page without an origin', 403, () => ({ origin: 'null' })],
    ['that a page of another site sends', 403, () => ({ 'sec-fetch-site': 'cross-site' })],
    ['that a page of this machine sends', 403, () => ({ 'sec-fetch-site': 'same-site' })],
  ])('%s is refused with %s', async (_, status, more) => {
    const before = await effects();
    for (const service of AWS_SERVICES) {
      const request = ASKED[service]();
      const headers = await signedHeaders(aws.url, service, aws.credentials, {
        ...request,
        headers: { ...request.headers, ...more() },
      });
      const answer = await sendRaw(aws.url, { ...request, headers: { ...headers, ...more() } });
      expect(answer).toMatchObject({ status });
      expect(answer.text).toMatch(/^This server answers /);
    }
    expect(await effects()).toStrictEqual(before);
  });

  it.each(['localhost', '127.0.0.1', 'LOCALHOST'])('to %s is answered', async (name) => {
    const request = ASKED.secretsmanager();
    const host = `${name}:${port()}`;
    const signed = await signedHeaders(aws.url, 'secretsmanager', aws.credentials, {
      ...request,
      headers: { ...request.headers, host, 'sec-fetch-site': 'none' },
    });
    expect((await sendRaw(aws.url, { ...request, headers: { ...signed, host } })).status).toBe(200);
  });

  it('cannot invoke a function by a form of text/plain', async () => {
    const before = await effects();
    const headers = { 'content-type': 'text/plain', origin: 'https://evil.example' };
    expect((await sendRaw(aws.url, { ...ASKED.lambda(), headers })).status).toBe(403);
    // A browser that says neither.
    const silent = { 'content-type': 'text/plain' };
    expect((await sendRaw(aws.url, { ...ASKED.lambda(), headers: silent })).status).toBe(403);
    expect(await effects()).toStrictEqual(before);
  });
});

describe('a body that is not what it should be', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const deepObject = `{"SecretId":${nested(5_000)},"TableName":"small-rows"}`;
  const BODIES: Readonly<Record<string, string>> = {
    nothing: '',
    'no JSON': '{"a',
    'another type': '[1]',
    null: 'null',
    'a member of another type': '{"SecretId":7,"TableName":7,"stateMachineArn":7}',
    '5,000 levels': nested(5_000),
    '5,000 levels in a member': deepObject,
  };
  /** What of these is JSON that a function takes. */
  const EVENTS = ['nothing', 'another type', 'null', 'a member of another type'];
  const JSON_SERVICES = ['dynamodb', 's3vectors', 'secretsmanager', 'states'] as const;

  it.each(
    Object.keys(BODIES).flatMap((what) => JSON_SERVICES.map((service) => [what, service] as const)),
  )('(%s) is an error of %s with a name', async (what, service) => {
    const answer = await sendSigned(service, { ...ASKED[service](), body: BODIES[what] ?? '' });
    expect(answer.status).toBe(400);
    expect(answer.code).toMatch(
      /^(Serialization|Validation|InvalidRequest)Exception$|^InvalidArn$/,
    );
  });

  it.each(Object.keys(BODIES))(
    '(%s) is an event of lambda, or an error with a name',
    async (what) => {
      const answer = await sendSigned('lambda', { ...ASKED.lambda(), body: BODIES[what] ?? '' });
      expect([answer.status, answer.code]).toStrictEqual(
        EVENTS.includes(what) ? [200, ''] : [400, 'InvalidRequestContentException'],
      );
    },
  );

  it.each(Object.keys(BODIES))('(%s) is an object of S3 as any other', async (what) => {
    expect((await sendSigned('s3', { ...ASKED.s3(), body: BODIES[what] ?? '' })).status).toBe(200);
  });

  it('as an execution’s input is refused, and an input of the most levels ends', async () => {
    const start = async (input: string): Promise<RawAnswer> =>
      await sendSigned('states', {
        ...ASKED.states(),
        body: JSON.stringify({ stateMachineArn: aws.deployment.outputs['machine'], input }),
      });
    expect((await start(nested(5_000))).code).toBe('InvalidExecutionInput');
    const { text } = await start(`{"key":${nested(MAX_JSON_DEPTH - 1)}}`);
    const { executionArn } = JSON.parse(text) as { executionArn: string };
    expect((await aws.stepFunctions.waitForExecution(executionArn)).status).toBe('SUCCEEDED');
  });

  it('and whose attributes are as deep as the JSON may be is an error of DynamoDB, not of this process', async () => {
    const levels = Math.floor((MAX_JSON_DEPTH - 4) / 2);
    const value = `${'{"L":['.repeat(levels)}{"S":"x"}${']}'.repeat(levels)}`;
    const body = `{"TableName":"small-rows","Item":{"PK":{"S":"deep"},"value":${value}}}`;
    expect((await sendSigned('dynamodb', { ...ASKED.dynamodb(), body })).status).toBeLessThan(500);
  });
});

describe('a body that is too large', () => {
  /** Promises a body of so many bytes and sends none of it; what is answered. */
  async function promise(service: AwsService, bytes: number): Promise<string> {
    const request = ASKED[service]();
    const headers = await signedHeaders(aws.url, service, aws.credentials, request);
    const { hostname, port } = new URL(aws.url);
    const socket = connect(Number(port), hostname);
    const lines = [
      `${request.method ?? 'POST'} ${request.path ?? '/'} HTTP/1.1`,
      ...Object.entries({ ...headers, 'content-length': String(bytes) }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return await new Promise((resolve, reject) => {
      let answer = '';
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.on('close', () => {
        resolve(answer);
      });
    });
  }

  it.each<[AwsService, number, string]>([
    ['dynamodb', 413, 'RequestEntityTooLargeException'],
    ['lambda', 413, 'RequestTooLargeException'],
    ['logs', 413, 'RequestEntityTooLargeException'],
    ['s3', 400, 'EntityTooLarge'],
    ['s3vectors', 400, 'ValidationException'],
    ['secretsmanager', 413, 'RequestEntityTooLargeException'],
    ['states', 413, 'RequestEntityTooLargeException'],
  ])('is refused by %s before it comes: %s %s', async (service, status, name) => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => promise(service, 2_000_000_000)),
    );
    for (const answer of answers) {
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toContain(name);
    }
  });

  it('of S3 Vectors has more than 20 MiB', async () => {
    const { body = '', ...request } = ASKED.s3vectors();
    const send = (bytes: number): Promise<RawAnswer> =>
      sendSigned('s3vectors', { ...request, body: body.padEnd(bytes) });
    expect((await send(20 * 1_024 * 1_024)).status).toBe(200);
    expect(await send(20 * 1_024 * 1_024 + 1)).toMatchObject({
      status: 400,
      code: 'ValidationException',
    });
  });

  it('is refused in Lambda’s words when all of it has come', async () => {
    const client = new LambdaClient({ ...clientSettings(aws), maxAttempts: 1 });
    const Payload = JSON.stringify('x'.repeat(7_000_000));
    const asked = client.send(new InvokeCommand({ FunctionName: 'work', Payload }));
    expect(await rejection(asked)).toMatchObject({
      name: 'RequestTooLargeException',
      $metadata: { httpStatusCode: 413 },
    });
  });

  it('is not waited for without a key that S3 knows', async () => {
    const headers = await signedHeaders(
      aws.url,
      's3',
      { ...aws.credentials, secretAccessKey: 'x' },
      ASKED.s3(),
    );
    const sent = { ...headers, 'content-length': '900000000' };
    const answer = await sendRaw(aws.url, { ...ASKED.s3(), headers: sent }).catch(String);
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
  });
});
