import { serve } from 'embedded-aws/http/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { createStepFunctionsClient, isRunning } from './executions.ts';

const ARN = 'arn:aws:states:us-east-1:123456789012:execution:realtime-embedding-sf-dev:run-1';
const NOW = new Date('2025-03-01T12:00:00Z');

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

/** Asks a Step Functions that answers so. */
async function ask(answer: { status: number; body: object }, since = NOW): Promise<boolean> {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
  const server = await serve(
    () => Promise.resolve({ ...answer, body: JSON.stringify(answer.body) }),
    0,
  );
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const client = createStepFunctionsClient();
  try {
    return await isRunning(client, ARN, since, {
      random: () => 0,
      sleep: () => Promise.resolve(),
    });
  } finally {
    client.destroy();
    await server.close();
  }
}

const ended = (status: string) => ({ status: 200, body: { executionArn: ARN, status } });
const unknown = { status: 400, body: { __type: 'ExecutionDoesNotExist', message: 'no' } };

describe('an execution', () => {
  it.each([
    ['RUNNING', true],
    ['SUCCEEDED', false],
    ['FAILED', false],
    ['TIMED_OUT', false],
    ['ABORTED', false],
  ])('that is %s is running: %s', async (status, is) => {
    expect(await ask(ended(status))).toBe(is);
  });

  it('that is not known yet counts as running for an hour, and has ended long ago after it', async () => {
    expect(await ask(unknown, new Date('2025-03-01T11:00:01Z'))).toBe(true);
    expect(await ask(unknown, new Date('2025-03-01T11:00:00Z'))).toBe(false);
  });

  it('that may not be asked for is no execution that has ended', async () => {
    const error = await rejection(
      ask({ status: 400, body: { __type: 'AccessDeniedException', message: 'no' } }),
    );
    expect(error.name).toBe('InvalidConfiguration');
  });
});
