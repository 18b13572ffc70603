import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type RunningServer, serve } from '../http/server.ts';
import { SecretsManagerStandIn } from './secrets_manager_stand_in.ts';

const NAME = 'api-key-dev';
const ARN = `arn:aws:secretsmanager:us-east-1:000000000000:secret:${NAME}-000000`;

let standIn: SecretsManagerStandIn;
let server: RunningServer;
let client: SecretsManagerClient;

beforeEach(async () => {
  standIn = new SecretsManagerStandIn();
  standIn.createSecret(NAME, ARN);
  server = await serve(standIn.handle, 0);
  client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

const get = (SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));

describe('a secret', () => {
  it.each([
    ['name', NAME],
    ['ARN', ARN],
  ])('is given by its %s', async (_, id) => {
    standIn.putSecretValue(ARN, 'sk-größe');

    const { $metadata, ...secret } = await get(id);

    expect($metadata.httpStatusCode).toBe(200);
    expect(secret).toStrictEqual({
      ARN,
      Name: NAME,
      SecretString: 'sk-größe',
      VersionStages: ['AWSCURRENT'],
    });
  });

  it('has the value that was put last', async () => {
    standIn.putSecretValue(NAME, 'old');
    standIn.putSecretValue(ARN, 'new');
    expect((await get(NAME)).SecretString).toBe('new');
  });

  it('may be empty', async () => {
    standIn.putSecretValue(NAME, '');
    expect((await get(NAME)).SecretString).toBe('');
  });

  it.each([
    ['without a value', NAME],
    ['that does not exist', 'another'],
    ['of a part of its name', NAME.slice(0, -1)],
  ])('%s is a ResourceNotFoundException', async (_, id) => {
    expect(await rejection(get(id))).toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('without a name is a ValidationException', async () => {
    expect((await rejection(get(''))).name).toBe('ValidationException');
  });

  it('can not be given a value before it is created', () => {
    expect(() => {
      standIn.putSecretValue('another', 'value');
    }).toThrow('there is no secret another');
  });
});

describe('an operation that is not here', () => {
  it('is NotImplemented, with its name', async () => {
    expect(await rejection(client.send(new ListSecretsCommand({})))).toMatchObject({
      name: 'NotImplemented',
      message: 'ListSecrets is not implemented by the embedded AWS.',
    });
  });
});
