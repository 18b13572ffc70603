import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { afterAll, afterEach, describe, expect, it, type Mock, vi } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { readSecret, requireSecret } from './secrets.ts';

const getSecret = vi.spyOn(SecretsProvider.prototype, 'get') as Mock<
  (arn: string, options?: object) => Promise<unknown>
>;

afterAll(() => {
  getSecret.mockRestore();
});

const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:openai';

afterEach(() => {
  getSecret.mockReset();
});

describe('a secret', () => {
  it('that is in the environment is taken as it is', async () => {
    expect(
      await readSecret({ OPENAI_API_KEY: 'sk-1', OPENAI_API_KEY_SECRET_ARN: arn }, 'openai'),
    ).toBe('sk-1');
    expect(getSecret).not.toHaveBeenCalled();
  });

  it('that is configured nowhere is undefined', async () => {
    expect(await readSecret({}, 'openai')).toBeUndefined();
    expect(getSecret).not.toHaveBeenCalled();
  });

  it('that a function can not do without is named when it is configured nowhere', async () => {
    const error = await rejection(requireSecret({}, 'pinecone'));

    expect([error.name, error.message]).toStrictEqual([
      'InvalidConfiguration',
      'PINECONE_API_KEY_SECRET_ARN (or PINECONE_API_KEY) is not set',
    ]);
  });

  it('under an ARN is read from Secrets Manager, at most every 15 minutes', async () => {
    getSecret.mockResolvedValue('sk-2');

    expect(await readSecret({ OPENAI_API_KEY_SECRET_ARN: arn }, 'openai')).toBe('sk-2');
    expect(getSecret.mock.calls).toStrictEqual([[arn, { maxAge: 900 }]]);
  });

  it.each([[''], [undefined], [Uint8Array.of(1)]])(
    'without a text (%j) is named',
    async (value) => {
      getSecret.mockResolvedValue(value);

      const error = await rejection(readSecret({ OPENAI_API_KEY_SECRET_ARN: arn }, 'openai'));

      expect([error.name, error.message]).toStrictEqual([
        'InvalidConfiguration',
        `the secret ${arn} has no value: set it and run again`,
      ]);
    },
  );

  it.each([
    ['sk-1\nsk-2', 'holds a line break'],
    ['sk-1\r', 'holds a line break'],
    ['sk 1', 'holds a space'],
    ['sk-1\t', 'holds a space'],
    [' sk-1', 'holds a space'],
    ['sk-1\u0000', 'holds a control character'],
    ['sk-1\u007f', 'holds a control character'],
    ['sk-é', 'holds a character that is not ASCII'],
    ['“sk-1”', 'holds a character that is not ASCII'],
  ])('that no header can carry (%j) is named with what is wrong, without it', async (key, why) => {
    vi.mocked(getSecret).mockResolvedValue(key);

    for (const [environment, name] of [
      [{ PINECONE_API_KEY_SECRET_ARN: arn }, `the secret ${arn}`],
      [{ PINECONE_API_KEY: key }, 'PINECONE_API_KEY'],
    ] as const) {
      const error = await rejection(requireSecret(environment, 'pinecone'));

      expect([error.name, error.message]).toStrictEqual([
        'InvalidConfiguration',
        `${name} ${why}: set the key again, without anything around it`,
      ]);
    }
  });

  it('that can not be read is named, with the reason’s name', async () => {
    getSecret.mockRejectedValue(new RangeError('sk-3'));

    const error = await rejection(readSecret({ OPENAI_API_KEY_SECRET_ARN: arn }, 'openai'));

    expect([error.name, error.message]).toStrictEqual([
      'InvalidConfiguration',
      `the secret ${arn} can not be read (RangeError)`,
    ]);
  });

  it.each([
    ['ThrottlingException', 400, 'RateLimited'],
    ['InternalServiceError', 500, 'UpstreamUnavailable'],
    ['AccessDeniedException', 400, 'InvalidConfiguration'],
  ])('that can not be read for %s (HTTP %d) is %s', async (name, httpStatusCode, wanted) => {
    const cause = Object.assign(new Error('no'), {
      name,
      $fault: httpStatusCode < 500 ? 'client' : 'server',
      $metadata: { httpStatusCode },
    });
    getSecret.mockRejectedValue(new Error('no', { cause }));

    expect((await rejection(readSecret({ OPENAI_API_KEY_SECRET_ARN: arn }, 'openai'))).name).toBe(
      wanted,
    );
  });
});
