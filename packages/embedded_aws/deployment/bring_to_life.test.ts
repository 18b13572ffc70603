import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { asset } from '@pulumi/pulumi';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { REAL_TIME } from '../aws/time.ts';
import { DynamoDBStandIn } from '../dynamodb/dynamodb_stand_in.ts';
import { EventSourceMappings } from '../event_sources/event_source_mappings.ts';
import { type RunningServer, serve } from '../http/server.ts';
import { LambdaStandIn } from '../lambda/lambda_stand_in.ts';
import { S3StandIn } from '../s3/s3_stand_in.ts';
import { S3VectorsStandIn } from '../s3_vectors/s3_vectors_stand_in.ts';
import { SchedulerStandIn } from '../scheduler/scheduler_stand_in.ts';
import { SecretsManagerStandIn } from '../secrets_manager/secrets_manager_stand_in.ts';
import { SqsStandIn } from '../sqs/sqs_stand_in.ts';
import { StepFunctionsStandIn } from '../step_functions/step_functions_stand_in.ts';
import { bringToLife, type StandIns } from './bring_to_life.ts';
import type { RegisteredResource } from './pulumi_program.ts';

let folder: string;
let server: RunningServer;
let standIns: StandIns;
/** What the scheduler starts, each as its wait in milliseconds, the state machine and the input. */
let scheduled: [number, string, string, string][];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bring-to-life-'));
  const dynamodb = new DynamoDBStandIn({ region: 'us-east-1', accountId: '000000000000' });
  server = await serve(dynamodb.handle, 0);
  const clock = (): Date => new Date();
  const s3 = new S3StandIn({ clock });
  scheduled = [];
  const waits: number[] = [];
  const events = { ...REAL_TIME, region: 'us-east-1', newId: randomUUID };
  const sqs = new SqsStandIn({ ...events, accountId: '000000000000', url: server.url });
  const eventSources = new EventSourceMappings({
    ...events,
    findStream: (arn) => dynamodb.streams.find(arn),
    findQueue: (arn) => sqs.queueOf(arn),
    findFunction: (name) => standIns.lambda.find(name),
    deliver: () => Promise.reject(new Error('no function is invoked here')),
  });
  standIns = {
    s3,
    s3vectors: new S3VectorsStandIn({ region: 'us-east-1', accountId: '000000000000', clock }),
    dynamodb: new DynamoDBClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
    secrets: new SecretsManagerStandIn(),
    lambda: new LambdaStandIn({
      region: 'us-east-1',
      endpointUrl: server.url,
      temporaryFolder: folder,
      newId: randomUUID,
    }),
    stepFunctions: new StepFunctionsStandIn({
      region: 'us-east-1',
      accountId: '000000000000',
      invokeLambda: () => Promise.reject(new Error('no function is invoked here')),
      objects: s3,
      clock,
      newId: randomUUID,
    }),
    // Time passes at once, and once.
    scheduler: new SchedulerStandIn({
      startExecution: (role, arn, input) =>
        Promise.resolve(scheduled.push([waits.at(-1) ?? NaN, role, arn, input])),
      every: (milliseconds, action) => {
        waits.push(milliseconds);
        action();
        return () => undefined;
      },
      onFailure: () => undefined,
    }),
    sqs,
    eventSources,
    functionsFolder: join(folder, 'functions'),
  };
});

afterEach(async () => {
  await standIns.lambda.close();
  await standIns.stepFunctions.close();
  standIns.dynamodb.destroy();
  await server.close();
  await rm(folder, { recursive: true });
});

function resource(type: string, state: Readonly<Record<string, unknown>> = {}): RegisteredResource {
  return { type, name: 'name', inputs: state, state };
}

/** Writes files, and gives their folder as an archive. */
async function archive(
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<asset.FileArchive> {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return new asset.FileArchive(root);
}

async function layer(arn: string, value: string): Promise<RegisteredResource> {
  return resource('aws:lambda/layerVersion:LayerVersion', {
    arn,
    code: await archive(`layer-${value}`, {
      'nodejs/node_modules/shared/package.json':
        '{"name": "shared", "type": "module", "exports": "./index.js"}',
      'nodejs/node_modules/shared/index.js': `export const value = '${value}';`,
    }),
  });
}

async function lambdaFunction(
  name: string,
  layers: readonly string[],
): Promise<RegisteredResource> {
  return resource('aws:lambda/function:Function', {
    name,
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    role: 'role',
    handler: 'handler.run',
    code: await archive(`code-${name}`, {
      'handler.mjs':
        "import { value } from 'shared'; import { own } from './own.mjs'; export const run = () => [value, own, process.env.TABLE];",
      'own.mjs': `export const own = '${name}';`,
    }),
    layers,
    memorySize: 512,
    timeout: 15,
    environment: { variables: { TABLE: 'rows' } },
  });
}

describe('a function', () => {
  async function answer(name: string): Promise<unknown> {
    const configuration = standIns.lambda.find(name);
    if (configuration === undefined) throw new Error(`${name} is not there`);
    const { payload, error } = await standIns.lambda.invoke(configuration, '{}');
    return error ?? (JSON.parse(payload) as unknown);
  }

  it('imports the layer that it is deployed with, and its own files', async () => {
    await bringToLife(
      [
        await layer('layer:one', 'one'),
        await layer('layer:two', 'two'),
        await lambdaFunction('first', ['layer:one']),
        await lambdaFunction('second', ['layer:two']),
      ],
      standIns,
    );

    expect([await answer('first'), await answer('second')]).toStrictEqual([
      ['one', 'first', 'rows'],
      ['two', 'second', 'rows'],
    ]);
  });

  it('is deployed as it is registered', async () => {
    const one = await lambdaFunction('first', ['layer:one']);

    await bringToLife([await layer('layer:one', 'one'), one], standIns);

    expect(standIns.lambda.find('first')).toStrictEqual({
      functionName: 'first',
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:first',
      roleArn: 'role',
      handlerFile: join(folder, 'functions/first/task/handler.mjs'),
      exportName: 'run',
      memorySize: 512,
      timeout: 15,
      environment: { TABLE: 'rows' },
    });
    const installed = await readdir(join(folder, 'functions/first/task'));
    expect(installed.sort()).toStrictEqual(['handler.mjs', 'own.mjs']);
  });

  it.each<[string, readonly string[]]>([
    ['a layer that is not registered', ['layer:other']],
    ['two layers', ['layer:one', 'layer:one']],
  ])('with %s is refused by name', async (_, layers) => {
    const resources = [await layer('layer:one', 'one'), await lambdaFunction('first', layers)];
    const { message } = await rejection(bringToLife(resources, standIns));
    expect(message).toBe(
      `first has the layers ${layers.join(', ')}: the embedded AWS knows one layer of this program at most`,
    );
  });
});

describe('data stores', () => {
  it('a table has its keys and indexes', async () => {
    const table = resource('aws:dynamodb/table:Table', {
      name: 'rows',
      hashKey: 'PK',
      rangeKey: 'SK',
      attributes: ['PK', 'SK', 'TYPE'].map((name) => ({ name, type: 'S' })),
      globalSecondaryIndexes: [
        {
          name: 'GSITYPE',
          projectionType: 'ALL',
          keySchemas: [{ attributeName: 'TYPE', keyType: 'HASH' }],
        },
      ],
    });

    await bringToLife([table], standIns);

    const { Table } = await standIns.dynamodb.send(new DescribeTableCommand({ TableName: 'rows' }));
    expect(Table?.KeySchema).toStrictEqual([
      { AttributeName: 'PK', KeyType: 'HASH' },
      { AttributeName: 'SK', KeyType: 'RANGE' },
    ]);
    expect(
      Table?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => [
        IndexName,
        KeySchema,
        Projection,
      ]),
    ).toStrictEqual([
      ['GSITYPE', [{ AttributeName: 'TYPE', KeyType: 'HASH' }], { ProjectionType: 'ALL' }],
    ]);
  });

  it('a bucket is there, and empty', async () => {
    await bringToLife([resource('aws:s3/bucket:Bucket', { bucket: 'vectors' })], standIns);
    standIns.s3.putObject('vectors', 'key', Buffer.from('x'));
    expect(standIns.s3.listKeys('vectors', '')).toStrictEqual(['key']);
  });
});

describe('a vector index', () => {
  const bucket = resource('aws:s3/vectorsVectorBucket:VectorsVectorBucket', {
    vectorBucketName: 'vectors',
  });
  const index = (changes: Readonly<Record<string, unknown>> = {}): RegisteredResource =>
    resource('aws:s3/vectorsIndex:VectorsIndex', {
      vectorBucketName: 'vectors',
      indexName: 'lines',
      dataType: 'float32',
      dimension: 3,
      distanceMetric: 'cosine',
      ...changes,
    });

  it('is there, and empty, of the dimension that it is registered with', async () => {
    await bringToLife([bucket, index()], standIns);
    const { size, dimension } = standIns.s3vectors.vectors({
      vectorBucketName: 'vectors',
      indexName: 'lines',
    });
    expect([size, dimension]).toStrictEqual([0, 3]);
  });

  it.each([
    ['without its bucket', index(), 'The specified vector bucket could not be found'],
    [
      'of another metric',
      index({ distanceMetric: 'euclidean' }),
      'The metric euclidean is not implemented by the embedded AWS.',
    ],
    ['with a name that is none', index({ indexName: 'Lines' }), 'Invalid index name'],
  ])('%s is refused', async (what, wrong, message) => {
    const resources = what === 'without its bucket' ? [wrong] : [bucket, wrong];
    expect((await rejection(bringToLife(resources, standIns))).message).toBe(message);
  });
});

describe('a schedule', () => {
  const target = { arn: 'arn:machine', roleArn: 'role', input: '{}' };

  it('starts its state machine under its role', async () => {
    const state = { name: 'poll', scheduleExpression: 'rate(15 minutes)', target };
    await bringToLife([resource('aws:scheduler/schedule:Schedule', state)], standIns);
    expect(scheduled).toStrictEqual([[900_000, 'role', 'arn:machine', '{}']]);
  });

  it('that can not run here is refused by its name', async () => {
    const state = { name: 'poll', scheduleExpression: 'cron(0 3 * * ? *)', target };
    const { message } = await rejection(
      bringToLife([resource('aws:scheduler/schedule:Schedule', state)], standIns),
    );
    expect(message).toContain('the schedule poll is cron(0 3 * * ? *)');
  });
});

describe('a queue', () => {
  const queue = (state: Readonly<Record<string, unknown>>): RegisteredResource =>
    resource('aws:sqs/queue:Queue', { name: 'jobs', ...state });
  const jobs = 'arn:aws:sqs:us-east-1:000000000000:jobs';

  it('has SQS’s defaults for what is not said', async () => {
    await bringToLife([queue({})], standIns);
    expect(standIns.sqs.queueOf(jobs)?.settings).toStrictEqual({
      name: 'jobs',
      arn: jobs,
      delay: 0,
      visibilityTimeout: 30,
      retention: 345_600,
      receiveWait: 0,
      encrypted: true,
    });
  });

  it('has what is said', async () => {
    const more = {
      delaySeconds: 1,
      visibilityTimeoutSeconds: 2,
      messageRetentionSeconds: 60,
      receiveWaitTimeSeconds: 3,
      sqsManagedSseEnabled: false,
      redrivePolicy: JSON.stringify({
        deadLetterTargetArn: jobs.replace('jobs', 'dead'),
        maxReceiveCount: '4',
      }),
    };
    await bringToLife([queue({ name: 'dead' }), queue(more)], standIns);
    expect(standIns.sqs.queueOf(jobs)?.settings).toStrictEqual({
      name: 'jobs',
      arn: jobs,
      delay: 1,
      visibilityTimeout: 2,
      retention: 60,
      receiveWait: 3,
      encrypted: false,
      redrive: { deadLetterTargetArn: jobs.replace('jobs', 'dead'), maxReceiveCount: 4 },
    });
  });

  it.each([
    ['is a FIFO queue', { fifoQueue: true }, 'is a FIFO queue'],
    ['has a wrong redrive policy', { redrivePolicy: '{"maxReceiveCount":1}' }, 'RedrivePolicy'],
  ])('that %s is refused', async (_, state, message) => {
    expect((await rejection(bringToLife([queue(state)], standIns))).message).toContain(message);
  });
});

describe('an event source mapping', () => {
  const mapping = (state: Readonly<Record<string, unknown>> = {}): RegisteredResource =>
    resource('aws:lambda/eventSourceMapping:EventSourceMapping', {
      uuid: 'mapping',
      arn: 'arn:mapping',
      eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:jobs',
      functionName: 'first',
      ...state,
    });

  it('is there, enabled unless it is said otherwise', async () => {
    const resources = [
      await layer('layer:one', 'one'),
      await lambdaFunction('first', ['layer:one']),
      resource('aws:sqs/queue:Queue', { name: 'jobs' }),
    ];
    await bringToLife([...resources, mapping()], standIns);
    expect(standIns.eventSources.find('mapping')?.enabled).toBe(true);
  });

  it('with a setting that is not known here is refused by its name', async () => {
    const wrong = bringToLife([mapping({ tumblingWindowInSeconds: 5 })], standIns);
    expect((await rejection(wrong)).message).toBe(
      'the mapping of arn:aws:sqs:us-east-1:000000000000:jobs has tumblingWindowInSeconds, which the embedded AWS does not know',
    );
  });
});

describe('a resource', () => {
  it.each([
    'aws:iam/role:Role',
    'aws:cloudwatch/logGroup:LogGroup',
    'aws:s3/bucketPolicy:BucketPolicy',
    'aws:sqs/queuePolicy:QueuePolicy',
    'aws:sqs/redriveAllowPolicy:RedriveAllowPolicy',
  ])('that nothing runs of is passed over: %s', async (type) => {
    await bringToLife([resource(type)], standIns);
    expect(await readdir(folder)).toStrictEqual([]);
  });

  it.each(['aws:sqs/unknown:Unknown', 'aws:s3/bucketObject:BucketObject', 'random:index:RandomId'])(
    'that is not known here is refused by its type: %s',
    async (type) => {
      const { message } = await rejection(bringToLife([resource(type)], standIns));
      expect(message).toBe(`the program deploys a ${type}, which the embedded AWS does not know`);
    },
  );
});
