import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../tests/support/rejection.ts';
import { createHandler, type HandlerDefinition } from './handler.ts';

const input = z.strictObject({ limit: z.int().optional(), force: z.boolean().optional() });
const context = { awsRequestId: 'request-1' };

let printed: string[];

beforeEach(() => {
  printed = [];
  // Prints to the console, which a test can listen to, metrics included.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((text: string) => {
      printed.push(text);
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function handlerThat(
  handle: HandlerDefinition<z.output<typeof input>, unknown>['handle'],
): (event: unknown) => Promise<unknown> {
  const handler = createHandler({ service: 'test', input, handle });
  return (event) => handler(event, context);
}

/** What was logged and counted; Powertools’ own remarks are no JSON. */
function lines(): Record<string, unknown>[] {
  return printed
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text) as Record<string, unknown>);
}

describe('a handler', () => {
  it('answers what its logic answers to the parsed event', async () => {
    const handler = handlerThat((event, { requestId }) => Promise.resolve({ event, requestId }));

    expect(await handler({ limit: 1 })).toStrictEqual({
      event: { limit: 1 },
      requestId: 'request-1',
    });
  });

  it('refuses an event with all its problems at once, by field, before its logic runs', async () => {
    const handle = vi.fn(() => Promise.resolve('done'));

    const error = await rejection(
      handlerThat(handle)({ limit: 'SECRET', force: 1, more: 'SECRET' }),
    );

    expect(error.name).toBe('InvalidRequest');
    expect(error.message).toBe(
      'the input is wrong: limit: Invalid input: expected number, received string; ' +
        'force: Invalid input: expected boolean, received number; Unrecognized key: "more"',
    );
    expect(handle).not.toHaveBeenCalled();
  });

  it('logs with the request’s id and the service’s name', async () => {
    await handlerThat((_, { logger }) => {
      logger.info('receipts found', { total: 2 });
      logger.warn('a row is skipped');
      return Promise.resolve();
    })({});

    expect(
      lines().map(({ level, message, total, request_id, service }) => ({
        level,
        message,
        total,
        request_id,
        service,
      })),
    ).toStrictEqual([
      {
        level: 'INFO',
        message: 'receipts found',
        total: 2,
        request_id: 'request-1',
        service: 'test',
      },
      {
        level: 'WARN',
        message: 'a row is skipped',
        total: undefined,
        request_id: 'request-1',
        service: 'test',
      },
    ]);
  });

  it('throws the error itself on, whose name the state machine matches, and logs no vendor’s cause', async () => {
    const failure = new Error('OpenAI answered 429', { cause: new Error('quoted WHOLE MILK') });
    const handler = handlerThat(() => Promise.reject(failure));

    expect(await rejection(handler({}))).toBe(failure);
    expect(
      lines().map(({ level, error_name, error_message }) => [level, error_name, error_message]),
    ).toStrictEqual([['ERROR', 'Error', 'OpenAI answered 429']]);
    expect(printed.join('\n')).not.toContain('MILK');
  });

  it('sends what was counted, also when it fails', async () => {
    const handler = handlerThat((_, { metrics }) => {
      metrics.count('ReceiptsEmbedded', 2);
      return Promise.reject(new Error('later'));
    });

    await rejection(handler({}));

    expect(
      lines().flatMap(({ ReceiptsEmbedded, service }) =>
        ReceiptsEmbedded === undefined ? [] : [{ ReceiptsEmbedded, service }],
      ),
    ).toStrictEqual([{ ReceiptsEmbedded: 2, service: 'test' }]);
  });

  it('writes nothing to its log when it has nothing to say and has counted nothing', async () => {
    await handlerThat(() => Promise.resolve('done'))({});

    expect(printed).toStrictEqual([]);
  });
});
