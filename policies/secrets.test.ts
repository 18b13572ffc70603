import { describe, expect, it } from 'vitest';
import { NOT_KNOWN_YET, verdict } from '../tests/support/policy_verdict.ts';
import { noKeysInPlainSight, noSecretsInEnvironments } from './secrets.ts';

// Not proved here: that a marked secret is encrypted in the state, which is Pulumi's part.

const FUNCTION = 'aws:lambda/function:Function';
const ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:openai-1a2b3c';

const environment = (variables: object): Record<string, unknown> => ({
  environment: { variables },
});

describe('no-secrets-in-environments', () => {
  it.each([
    { OPENAI_API_KEY_SECRET_ARN: ARN, BATCH_MAX_TOKENS: '3000000', PARTITION_KEY: 'PK' },
    { OPENAI_API_KEY: ARN },
    { OPENAI_API_KEY: NOT_KNOWN_YET },
    { OPENAI_API_KEY: '' },
  ])('is content with %j', (variables) => {
    expect(verdict(noSecretsInEnvironments, FUNCTION, environment(variables))).toStrictEqual([]);
  });

  it('is content with a function whose variables are not known yet, or which has none', () => {
    expect(
      verdict(noSecretsInEnvironments, FUNCTION, { environment: NOT_KNOWN_YET }),
    ).toStrictEqual([]);
    expect(verdict(noSecretsInEnvironments, FUNCTION, {})).toStrictEqual([]);
  });

  it.each([
    'OPENAI_API_KEY',
    'GOOGLE_PLACES_API_KEY',
    'PINECONE_APIKEY',
    'AWS_SECRET_ACCESS_KEY',
    'DB_PASSWORD',
    'SLACK_TOKEN',
    'client_secret',
    'GOOGLE_CREDENTIALS',
  ])('says what to do with a value in %s, without the value', (variable) => {
    expect(
      verdict(noSecretsInEnvironments, FUNCTION, environment({ [variable]: 'hunter2', A: 'b' })),
    ).toStrictEqual([
      `The function it has a secret in ${variable}: put it into an aws.secretsmanager.Secret, and its ARN into ${variable}_SECRET_ARN.`,
    ]);
  });

  it('looks at the variables that are known beside one that is not', () => {
    const variables = { DYNAMODB_TABLE_NAME: NOT_KNOWN_YET, OPENAI_API_KEY: 'hunter2' };
    expect(verdict(noSecretsInEnvironments, FUNCTION, environment(variables))).toHaveLength(1);
  });
});

describe('no-keys-in-plain-sight', () => {
  it.each([
    ['OpenAI', 'sk-proj-1a2b3c4d5e6f7g8h'],
    ['Pinecone', 'pcsk_4FzT1a_2b3c4d5e6f'],
    ['Google', 'AIzaSyA1b2C3d4E5f6G7h8'],
    ['AWS', 'AKIAIOSFODNN7EXAMPLE'],
    ['GitHub', 'ghp_1a2b3c4d5e6f7g8h9i0j1k'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----'],
  ])('finds the key of %s under any name, and does not repeat it', (_, key) => {
    expect(
      verdict(noKeysInPlainSight, FUNCTION, environment({ MODEL: 'small', NOTE: key })),
    ).toStrictEqual([
      'it (aws:lambda/function:Function) has what looks like a key in environment.variables.NOTE: put it into an ' +
        'aws.secretsmanager.Secret, and its ARN here.',
    ]);
    expect(
      verdict(noKeysInPlainSight, 'aws:scheduler/schedule:Schedule', {
        target: { input: JSON.stringify({ note: key }) },
      }),
    ).toHaveLength(1);
  });

  it.each(['task-1a2b3c4d5e6f7g8h', 'a-risk-assessment-of-all', 'sk-short', ARN, NOT_KNOWN_YET])(
    'is content with %s',
    (text) => {
      expect(verdict(noKeysInPlainSight, FUNCTION, environment({ NOTE: text }))).toStrictEqual([]);
    },
  );

  it('is content with a key in Secrets Manager', () => {
    const secret = { secretString: 'sk-proj-1a2b3c4d5e6f7g8h' };
    expect(
      verdict(noKeysInPlainSight, 'aws:secretsmanager/secretVersion:SecretVersion', secret),
    ).toStrictEqual([]);
  });
});
