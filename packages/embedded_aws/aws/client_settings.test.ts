import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetIndexCommand } from '@aws-sdk/client-s3vectors';
import { ListStateMachinesCommand } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { hostileShell, variablesOfTheSdk } from '../../../tests/support/hostile_shell.ts';
import { smallProgram } from '../testing/program.ts';
import { type EmbeddedAws, startEmbeddedAws } from './embedded_aws.ts';

// What a whole local run does in such a shell: tests/end_to_end/npm_start.test.ts.

afterEach(() => {
  vi.unstubAllEnvs();
});

/** With the variables of a test in the environment from before its clients are made. */
async function startWith(variables: Readonly<Record<string, string>>): Promise<EmbeddedAws> {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const code = await mkdtemp(join(tmpdir(), 'client-settings-'));
  const aws = await startEmbeddedAws({
    program: () => smallProgram(code),
    project: 'small',
    port: 0,
    stack: 'dev',
    config: {},
    secrets: { api_key: 'secret-of-a-test' },
  });
  onTestFinished(async () => {
    await aws.close();
    await rm(code, { recursive: true });
  });
  return aws;
}

async function askEach({ clients, deployment }: EmbeddedAws): Promise<void> {
  await clients.dynamodb.send(
    new GetItemCommand({ TableName: 'small-rows', Key: { PK: { S: '1' } } }),
  );
  const Bucket = deployment.outputs['bucket'] as string;
  await clients.s3.send(new ListObjectsV2Command({ Bucket }));
  const indexArn = deployment.outputs['index'] as string;
  await clients.s3vectors.send(new GetIndexCommand({ indexArn }));
  await clients.sfn.send(new ListStateMachinesCommand({}));
}

describe('the clients of the embedded AWS', () => {
  it('heed nothing of a shell that is set up for another AWS', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hostile-shell-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await askEach(await startWith(await hostileShell(folder)));
  });

  it.each(['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'])('heed no %s', async (name) => {
    await askEach(await startWith({ [name]: 'true' }));
  });
});

describe('the list of the SDK’s variables', () => {
  it('has those that this is known to be about', () => {
    expect(variablesOfTheSdk()).toEqual(
      expect.arrayContaining([
        'AWS_USE_FIPS_ENDPOINT',
        'AWS_USE_DUALSTACK_ENDPOINT',
        'AWS_RETRY_MODE',
        'AWS_MAX_ATTEMPTS',
        'AWS_DEFAULTS_MODE',
        'AWS_PROFILE',
        'AWS_ENDPOINT_URL',
        'AWS_REQUEST_CHECKSUM_CALCULATION',
        'AWS_AUTH_SCHEME_PREFERENCE',
      ]),
    );
  });
});
