import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { connectOpenAI } from './openai_access.ts';

describe('access to OpenAI', () => {
  it('uses the key and the address of the environment', async () => {
    const { apiKey, baseURL } = await connectOpenAI({
      OPENAI_API_KEY: 'sk-1',
      OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
    });

    expect([apiKey, baseURL]).toStrictEqual(['sk-1', 'http://127.0.0.1:1/v1']);
  });

  it('is missing without a key, and says which setting to give', async () => {
    const error = await rejection(connectOpenAI({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }));

    expect([error.name, error.message]).toStrictEqual([
      'InvalidConfiguration',
      'OPENAI_API_KEY_SECRET_ARN (or OPENAI_API_KEY) is not set',
    ]);
  });
});
