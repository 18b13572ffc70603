import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { serve } from '../http/server.ts';
import { smallProgram } from '../testing/program.ts';
import {
  CREDENTIALS,
  type EmbeddedAws,
  type EmbeddedAwsSettings,
  REGION,
  startEmbeddedAws,
} from './embedded_aws.ts';

let temporary: string;
let code: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'embedded-aws-test-'));
  code = await mkdtemp(join(tmpdir(), 'embedded-aws-code-'));
  vi.stubEnv('TMPDIR', temporary);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
  await rm(code, { recursive: true });
});

const start = (changes: Partial<EmbeddedAwsSettings> = {}): Promise<EmbeddedAws> =>
  startEmbeddedAws({
    program: () => smallProgram(code),
    project: 'small',
    port: 0,
    stack: 'dev',
    config: {},
    secrets: { api_key: 'secret-of-a-test' },
    enforceIam: true,
    ...changes,
  });

describe('the embedded AWS', () => {
  it('has the resources of the program behind one address', async () => {
    const aws = await start();
    const { outputs } = aws.deployment;
    const { Table } = await aws.clients.dynamodb.send(
      new DescribeTableCommand({ TableName: outputs['table'] as string }),
    );
    expect(Table).toMatchObject({ TableName: 'small-rows', TableStatus: 'ACTIVE' });
    const Bucket = outputs['bucket'] as string;
    await aws.clients.s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));
    expect(aws.s3.listKeys(Bucket, '')).toStrictEqual(['a']);
    const secrets = new SecretsManagerClient({
      endpoint: aws.url,
      region: REGION,
      credentials: CREDENTIALS,
    });
    const asked = new GetSecretValueCommand({ SecretId: outputs['secret'] as string });
    expect((await secrets.send(asked)).SecretString).toBe('secret-of-a-test');

    const { executionArn = '' } = await aws.clients.sfn.send(
      new StartExecutionCommand({
        stateMachineArn: outputs['machine'] as string,
        input: '{"key":"one"}',
      }),
    );
    const { output } = await aws.stepFunctions.waitForExecution(executionArn);
    expect(JSON.parse(output ?? '')).toStrictEqual({ key: 'one', table: 'small-rows' });

    await aws.close();
  });

  it('starts state machines at the rate of their schedules', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const aws = await start();
    vi.advanceTimersByTime(3_600_000);
    vi.useRealTimers();

    const stateMachineArn = aws.deployment.outputs['machine'] as string;
    const [execution] = await vi.waitFor(async () => {
      const { executions = [] } = await aws.clients.sfn.send(
        new ListExecutionsCommand({ stateMachineArn }),
      );
      expect(executions).toHaveLength(1);
      return executions;
    });
    const ended = await aws.stepFunctions.waitForExecution(execution?.executionArn ?? '');
    expect([ended.status, ended.input]).toStrictEqual(['SUCCEEDED', '{"key":"scheduled"}']);

    await aws.close();
  });

  it('leaves nothing behind when it is closed, once or twice', async () => {
    const aws = await start();
    expect(await readdir(temporary)).toStrictEqual([expect.stringMatching(/^embedded-aws-/)]);

    await aws.close();
    await aws.close();

    expect(await readdir(temporary)).toStrictEqual([]);
    expect((await rejection(fetch(aws.url))).cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each<[string, Partial<EmbeddedAwsSettings>, string]>([
    [
      'a secret is missing',
      { secrets: {} },
      "Missing required configuration variable 'small:api_key'",
    ],
    [
      'a schedule can not run here',
      { config: { schedule: 'cron(0 3 * * ? *)' } },
      'the schedule hourly is cron(0 3 * * ? *)',
    ],
    [
      'the program throws',
      { program: () => Promise.reject(new Error('no program')) },
      'no program',
    ],
  ])('leaves nothing behind when %s, and says so', async (_, settings, message) => {
    const server = await serve(() => Promise.resolve({ status: 200 }), 0);
    const { port } = server;
    await server.close();

    expect((await rejection(start({ ...settings, port }))).message).toContain(message);

    expect(await readdir(temporary)).toStrictEqual([]);
    await (await serve(() => Promise.resolve({ status: 200 }), port)).close();
  });

  it('leaves nothing behind when its port is taken', async () => {
    const taken = await serve(() => Promise.resolve({ status: 200 }), 0);

    expect(await rejection(start({ port: taken.port }))).toMatchObject({ code: 'EADDRINUSE' });

    expect(await readdir(temporary)).toStrictEqual([]);
    await taken.close();
  });
});
