import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { RateLimited } from 'receipt-embedding/errors';
import { rejection } from '../../tests/support/rejection.ts';
import { declareFunction } from './declaration.ts';
import {
  createHandler,
  executionFields,
  executionNameSchema,
  firstInput,
  type HandlerDefinition,
} from './handler.ts';

const TEST = declareFunction({ name: 'test', description: '', memory_mb: 128 });

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
  const handler = createHandler(TEST, { input, handle });
  return (event) => handler(event, context);
}

/** What was logged and counted; Powertools’ own remarks are no JSON. */
function lines(): Record<string, unknown>[] {
  return printed
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text) as Record<string, unknown>);
}

interface MetricDirective {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
}

/** What CloudWatch reads of the metrics’ lines. */
function emf(): MetricDirective[] {
  return lines().flatMap(({ _aws }) => {
    const directives = _aws as { readonly CloudWatchMetrics: MetricDirective[] } | undefined;
    return directives?.CloudWatchMetrics ?? [];
  });
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
    const failure = Object.assign(new RateLimited('OpenAI answered 429'), {
      cause: new Error('quoted WHOLE MILK'),
    });
    const handler = handlerThat(() => Promise.reject(failure));

    expect(await rejection(handler({}))).toBe(failure);
    expect(failure.cause).toBeUndefined();
    expect(
      lines().map(({ level, error_name, error_message }) => [level, error_name, error_message]),
    ).toStrictEqual([['ERROR', 'RateLimited', 'OpenAI answered 429']]);
    expect(printed.join('\n')).not.toContain('MILK');
  });

  it.each<[string, Error, string]>([
    ['of JavaScript’s', new TypeError('Headers.append: "Bearer sk-1 WHOLE MILK"'), 'TypeError'],
    ['of a vendor’s', Object.assign(new Error('WHOLE MILK'), { name: 'WHOLE MILK' }), 'Error'],
    ['with more of it', new Error('a', { cause: new Error('WHOLE MILK') }), 'Error'],
    ['that is none', 'WHOLE MILK' as unknown as Error, 'Error'],
    ['that imitates a stack', new Error('a\n    at /MILK/sk-1'), 'Error'],
  ])('throws a foreign error %s in its own words, saying where', async (_, foreign, name) => {
    const error = await rejection(handlerThat(() => Promise.reject(foreign))({}));

    expect(error.name).toBe(name);
    expect(error.message).toMatch(
      new RegExp(
        `^an unexpected ${name} in the function(?:, at [\\w-]+\\.test\\.ts:\\d+:\\d+|, at test\\.ts:\\d+:\\d+)?$`,
      ),
    );
    expect(error.cause).toBeUndefined();
    const everything = [printed.join('\n'), error.stack, JSON.stringify(error)].join('\n');
    expect(everything).not.toContain('MILK');
    expect(everything).not.toContain('sk-1');
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

  it('counts by the deployed function, whose name has the stack’s in it', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'embedding-test-lambda-dev');
    const handler = handlerThat((_, { metrics }) => {
      metrics.count('ReceiptsEmbedded', 1);
      return Promise.resolve();
    });

    await handler({});

    expect(lines().map(({ service }) => service)).toStrictEqual(['embedding-test-lambda-dev']);
  });

  it('sends each metric in its unit, all in one namespace', async () => {
    const handler = handlerThat((_, { metrics }) => {
      metrics.count('ReceiptsEmbedded', 2);
      metrics.count('EstimatedCostUsd', 0.000_02);
      metrics.count('OldestPendingBatchAge', 12.5);
      return Promise.resolve();
    });

    await handler({});

    expect(emf()).toStrictEqual([
      {
        Namespace: 'ReceiptEmbeddings',
        Dimensions: [['service']],
        Metrics: [
          { Name: 'ReceiptsEmbedded', Unit: 'Count' },
          { Name: 'EstimatedCostUsd', Unit: 'None' },
          { Name: 'OldestPendingBatchAge', Unit: 'Seconds' },
        ],
      },
    ]);
    expect(lines()).toMatchObject([
      { ReceiptsEmbedded: 2, EstimatedCostUsd: 0.000_02, OldestPendingBatchAge: 12.5 },
    ]);
  });

  it('sends what is told apart by a dimension of its own value by value', async () => {
    const handler = handlerThat((_, { metrics }) => {
      metrics.countEach('Failures', { RateLimited: 2, InvalidRequest: 1 });
      metrics.countEach('PendingBatches', { IN_PROGRESS: 0 });
      metrics.count('ReceiptsFailed', 3);
      return Promise.resolve();
    });

    await handler({});

    expect(
      lines().map(({ Failures, PendingBatches, ReceiptsFailed, reason, status }) => [
        Failures ?? PendingBatches ?? ReceiptsFailed,
        reason ?? status,
      ]),
    ).toStrictEqual([
      [2, 'RateLimited'],
      [1, 'InvalidRequest'],
      [0, 'IN_PROGRESS'],
      [3, undefined],
    ]);
    expect(emf().map(({ Dimensions }) => Dimensions)).toStrictEqual([
      [['service', 'reason']],
      [['service', 'reason']],
      [['service', 'status']],
      [['service']],
    ]);
  });

  it('counts by the dimensions of each event, also where the one before it counted nothing', async () => {
    const handler = createHandler(TEST, {
      input: z.object({ workflow: z.string(), failed: z.int() }),
      dimensions: ({ workflow }) => ({ workflow }),
      handle: ({ failed }, { metrics }) => {
        if (failed === 0) return Promise.resolve();
        metrics.count('BatchesFailed', failed);
        metrics.countEach('Failures', { RateLimited: failed });
        return Promise.resolve();
      },
    });

    for (const [workflow, failed] of [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ] as const) {
      await handler({ workflow, failed }, context);
    }

    expect(
      lines().map(({ workflow, Failures, BatchesFailed }) => [workflow, Failures ?? BatchesFailed]),
    ).toStrictEqual([
      ['b', 1],
      ['b', 1],
      ['c', 2],
      ['c', 2],
    ]);
    expect(emf().map(({ Dimensions }) => Dimensions)).toStrictEqual([
      [['service', 'workflow', 'reason']],
      [['service', 'workflow']],
      [['service', 'workflow', 'reason']],
      [['service', 'workflow']],
    ]);
  });

  it('logs with the ids of its event, and with those that become known later', async () => {
    const handler = createHandler(TEST, {
      input: z.unknown(),
      handle: (_, { logger, identify }) => {
        logger.info('begins');
        identify({ run_id: 'run-1' });
        return Promise.reject(new Error('later'));
      },
    });
    const ids = { execution_name: 'run-a', image_id: 'image-1', receipt_id: 7, batch_id: 'b-1' };

    await rejection(handler({ ...ids, text: 'WHOLE MILK' }, context));
    await rejection(handler({ Name: 'run-b' }, context));

    expect(
      lines().map(({ execution_name, image_id, receipt_id, batch_id, run_id }) => [
        execution_name,
        image_id,
        receipt_id,
        batch_id,
        run_id,
      ]),
    ).toStrictEqual([
      ['run-a', 'image-1', 7, 'b-1', undefined],
      ['run-a', 'image-1', 7, 'b-1', 'run-1'],
      ['run-b', undefined, undefined, undefined, undefined],
      ['run-b', undefined, undefined, undefined, 'run-1'],
    ]);
    expect(printed.join('\n')).not.toContain('MILK');
  });

  it.each([['a text'], [null], [7], [[{ batch_id: 'b' }]], [{ receipt_id: 'WHOLE MILK' }]])(
    'takes no ids from %j',
    async (event) => {
      const handler = createHandler(TEST, {
        input: z.unknown(),
        handle: (_, { logger }) => {
          logger.info('works');
          return Promise.resolve();
        },
      });

      await handler(event, context);

      expect(lines().map(({ batch_id, receipt_id }) => [batch_id, receipt_id])).toStrictEqual([
        [undefined, undefined],
      ]);
    },
  );

  it('writes nothing to its log when it has nothing to say and has counted nothing', async () => {
    await handlerThat(() => Promise.resolve('done'))({});

    expect(printed).toStrictEqual([]);
  });
});

describe('what a state machine hands to its first function', () => {
  const schema = firstInput(z.strictObject({ limit: z.int().optional(), ...executionFields }));
  const execution = { execution_name: 'nightly', execution_id: 'arn:nightly' };

  it('is what the execution was started with, its name and its ARN, whatever else AWS knows of it', () => {
    expect(schema.parse({ input: { limit: 1 }, ...execution })).toStrictEqual({
      limit: 1,
      Name: 'nightly',
      Id: 'arn:nightly',
    });
    expect(schema.parse({ limit: 1 })).toStrictEqual({ limit: 1 });
  });

  it('is refused with what the function does not know, and the execution’s name can not be given', () => {
    expect(schema.safeParse({ input: { speed: 1 }, ...execution }).success).toBe(false);
    const parsed = schema.parse({ input: { Name: 'other', Id: 'arn:other' }, ...execution });
    expect(parsed).toStrictEqual({ Name: 'nightly', Id: 'arn:nightly' });
  });

  it.each(['nightly-2026.11.30', 'a+b=c@d!', "it's(1)", 'Lauf_für_Märkte', 'x'.repeat(80)])(
    'may be named as AWS lets it: %s',
    (name) => {
      expect(executionNameSchema.parse(name)).toBe(name);
    },
  );

  it.each(['', 'x'.repeat(81), 'a b', 'a/b', 'a:b', 'a*', 'a{}', 'a\u0001', 'a\\b', 'a"b', '../a'])(
    'may not be named as AWS refuses it: %j',
    (name) => {
      expect(executionNameSchema.safeParse(name).success).toBe(false);
    },
  );
});
