import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListExecutionsCommand, ListStateMachinesCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { serve } from '../http/server.ts';
import {
  CREDENTIALS,
  type EmbeddedAws,
  type EmbeddedAwsSettings,
  REGION,
  startEmbeddedAws,
} from './embedded_aws.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedded-aws-'));
  vi.stubEnv('TMPDIR', folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const start = (changes: Partial<EmbeddedAwsSettings> = {}): Promise<EmbeddedAws> =>
  startEmbeddedAws({
    port: 0,
    stack: 'dev',
    config: {},
    secrets: { openai_api_key: 'sk-of-a-test' },
    ...changes,
  });

async function freePort(): Promise<number> {
  const server = await serve(() => Promise.resolve({ status: 200 }), 0);
  await server.close();
  return server.port;
}

describe('the embedded AWS', () => {
  it('has the table, the bucket, the secret, the functions and the machine of the program, behind one address', async () => {
    const aws = await start();
    const { outputs, resources } = aws.deployment;
    const settings = { endpoint: aws.url, region: REGION, credentials: CREDENTIALS };
    expect(aws.iam).toBe(undefined);

    const { Table } = await aws.clients.dynamodb.send(
      new DescribeTableCommand({ TableName: outputs['dynamodb_table_name'] as string }),
    );
    expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName).sort()).toStrictEqual([
      'GSI1',
      'GSI2',
      'GSI3',
      'GSITYPE',
    ]);
    const bucket = await aws.clients.s3.send(
      new HeadBucketCommand({ Bucket: outputs['chromadb_bucket_name'] as string }),
    );
    expect(bucket.$metadata.httpStatusCode).toBe(200);
    const secret = resources.find(({ type }) => type === 'aws:secretsmanager/secret:Secret');
    const { SecretString } = await new SecretsManagerClient(settings).send(
      new GetSecretValueCommand({ SecretId: secret?.state['arn'] as string }),
    );
    expect(SecretString).toBe('sk-of-a-test');
    const functions = resources.filter(({ type }) => type === 'aws:lambda/function:Function');
    const invoked = await Promise.all(
      functions.map(({ state }) =>
        new LambdaClient(settings).send(
          new InvokeCommand({
            FunctionName: state['arn'] as string,
            InvocationType: 'DryRun',
          }),
        ),
      ),
    );
    expect(invoked.map(({ StatusCode }) => StatusCode)).toStrictEqual([204, 204, 204]);
    const { stateMachines = [] } = await aws.clients.sfn.send(new ListStateMachinesCommand({}));
    expect(stateMachines.map(({ stateMachineArn }) => stateMachineArn)).toStrictEqual([
      outputs['realtime_embedding_sf_arn'],
    ]);

    await aws.close();
  });

  it('has the batch path of a stack with Pinecone, and keeps its schedule', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const aws = await start({
      config: { pinecone_index_name: 'receipts', batch_poll_schedule: 'rate(1 hour)' },
      secrets: { openai_api_key: 'sk-of-a-test', pinecone_api_key: 'pc-of-a-test' },
    });
    const { outputs, resources } = aws.deployment;
    const batchBucket = outputs['batch_bucket_name'] as string;
    const head = await aws.clients.s3.send(new HeadBucketCommand({ Bucket: batchBucket }));
    expect(head.$metadata.httpStatusCode).toBe(200);
    expect(batchBucket).not.toBe(outputs['chromadb_bucket_name']);
    const { stateMachines = [] } = await aws.clients.sfn.send(new ListStateMachinesCommand({}));
    expect(stateMachines.map(({ stateMachineArn }) => stateMachineArn).sort()).toStrictEqual([
      outputs['batch_poll_sf_arn'],
      outputs['batch_submit_sf_arn'],
      outputs['realtime_embedding_sf_arn'],
    ]);
    const functions = resources.filter(({ type }) => type === 'aws:lambda/function:Function');
    const deployed = functions.map(({ state }) => aws.lambda.find(state['name'] as string));
    expect(deployed.filter((configuration) => configuration !== undefined)).toHaveLength(15);

    vi.advanceTimersByTime(3_600_000);
    vi.useRealTimers();

    const stateMachineArn = outputs['batch_poll_sf_arn'] as string;
    const [execution] = await vi.waitFor(async () => {
      const { executions = [] } = await aws.clients.sfn.send(
        new ListExecutionsCommand({ stateMachineArn }),
      );
      expect(executions).toHaveLength(1);
      return executions;
    });
    const ended = await aws.stepFunctions.waitForExecution(execution?.executionArn ?? '');
    expect([ended.status, ended.input]).toStrictEqual(['SUCCEEDED', '{}']);
    expect(JSON.parse(ended.output ?? '')).toMatchObject({ total: 0, failed_percentage: 0 });

    await aws.close();
  });

  it('leaves nothing behind when it is closed', async () => {
    const port = await freePort();
    const aws = await start({ port });
    expect(aws.url).toBe(`http://127.0.0.1:${port}`);
    const [temporary = ''] = await readdir(folder);
    expect(temporary).toMatch(/^receipt-embeddings-/);

    await aws.close();

    expect(await readdir(folder)).toStrictEqual([]);
    expect((await rejection(fetch(aws.url))).cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('may be closed twice', async () => {
    const aws = await start();
    await aws.close();
    await aws.close();
    expect(await readdir(folder)).toStrictEqual([]);
  });

  it('leaves nothing behind when the configuration is wrong, and says what is', async () => {
    const port = await freePort();

    const { name, message } = await rejection(
      start({ port, config: { max_concurrency: '0', log_retention_days: '2' } }),
    );

    expect(name).toBe('InvalidSettings');
    expect(message.split('\n')).toHaveLength(3);
    expect(await readdir(folder)).toStrictEqual([]);
    const again = await serve(() => Promise.resolve({ status: 200 }), port);
    expect(again.port).toBe(port);
    await again.close();
  });

  it('leaves nothing behind when its port is taken', async () => {
    const taken = await serve(() => Promise.resolve({ status: 200 }), 0);

    expect(await rejection(start({ port: taken.port }))).toMatchObject({ code: 'EADDRINUSE' });

    expect(await readdir(folder)).toStrictEqual([]);
    await taken.close();
  });
});
