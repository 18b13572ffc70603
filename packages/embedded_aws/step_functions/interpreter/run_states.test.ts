import {
  GetExecutionHistoryCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import {
  countingEcho,
  functionArn,
  Held,
  startFixture,
  task,
  thrown,
  typesOf,
} from '../testing/stand_in_fixture.ts';

const pass = { Type: 'Pass', End: true };

/** What one state makes of an input: its output, or its error. */
async function outcomeOf(states: object, input: unknown): Promise<unknown> {
  const { create, run } = await startFixture();
  const { output, error } = await run(create(states), input);
  return output === undefined ? error : (JSON.parse(output) as unknown);
}

describe('data', () => {
  it.each<[object, unknown, unknown]>([
    [{ InputPath: '$.a' }, { a: [1] }, [1]],
    [{ InputPath: null }, { a: 1 }, {}],
    [{ InputPath: "$['a b'][1]" }, { 'a b': [5, 0] }, 0],
    [{ InputPath: '$.nothing' }, { a: 1 }, 'States.Runtime'],
    [{ OutputPath: '$.a' }, { a: null }, null],
    [{ Result: false }, { a: 1 }, false],
    [{ Result: 2, ResultPath: '$.b.c' }, { a: 1 }, { a: 1, b: { c: 2 } }],
    [{ Result: 2, ResultPath: '$' }, { a: 1 }, 2],
    [{ Result: 2, ResultPath: null }, { a: 1 }, { a: 1 }],
    [{ Result: 2, ResultPath: '$.a.b' }, { a: 1 }, 'States.ResultPathMatchFailure'],
    [
      { Parameters: { 'a.$': '$.x', b: [{ 'c.$': '$.y' }] } },
      { x: null, y: 0 },
      { a: null, b: [{ c: 0 }] },
    ],
    [{ Parameters: { 'a.$': "States.Format('{}-{}', $.x, 5)" } }, { x: 'é"' }, { a: 'é"-5' }],
    [{ Parameters: { 'a.$': "States.Format('{}')" } }, {}, 'States.IntrinsicFailure'],
    [{ Parameters: { 'a.$': 'States.JsonToString($)' } }, { x: '"\\' }, { a: '{"x":"\\"\\\\"}' }],
    [
      { Parameters: { 'a.$': 'States.JsonMerge($.x, $.y, false)' } },
      { x: { a: 1, b: 1 }, y: { b: 2 } },
      { a: { a: 1, b: 2 } },
    ],
  ])('%j of %j gives %j', async (state, input, expected) => {
    expect(await outcomeOf({ Pass: { ...pass, ...state } }, input)).toStrictEqual(expected);
  });

  it('of the context object is at hand, and the input stays as it was for a retry', async () => {
    const payloads: unknown[] = [];
    const { create, run } = await startFixture((payload) => {
      payloads.push(payload);
      return payloads.length === 1 ? thrown('Again') : { payload };
    });
    const answer = await run(
      create({
        Work: task({
          Parameters: {
            FunctionName: functionArn,
            Payload: {
              'all.$': 'States.JsonMerge($, $$.Execution, false)',
              'state.$': '$$.State',
              'machine.$': '$$.StateMachine.Name',
            },
          },
          Retry: [{ ErrorEquals: ['Again'] }],
        }),
      }),
      { Name: 'mine', id: 7 },
    );
    const payload = (RetryCount: number) => ({
      all: {
        Name: answer.name,
        id: 7,
        Id: answer.executionArn,
        Input: { Name: 'mine', id: 7 },
        RoleArn: 'arn:aws:iam::000000000000:role/workflow',
        StartTime: new Date(answer.startDate * 1_000).toISOString(),
        RedriveCount: 0,
      },
      state: { Name: 'Work', EnteredTime: expect.any(String) as string, RetryCount },
      machine: 'machine',
    });
    expect(payloads).toStrictEqual([payload(0), payload(1)]);
  });
});

describe('a Choice', () => {
  const rules = (...choices: object[]): object => ({
    Choose: {
      Type: 'Choice',
      Choices: choices.map((rule, index) => ({ ...rule, Next: `Rule${index}` })),
      Default: 'Other',
    },
    Rule0: { ...pass, Result: 0 },
    ...(choices.length > 1 ? { Rule1: { ...pass, Result: 1 } } : {}),
    Other: { ...pass, Result: 'default' },
  });
  const n = { Variable: '$.n' };

  it.each<[object[], unknown, unknown]>([
    [[{ ...n, NumericGreaterThan: 3 }], { n: 4 }, 0],
    [[{ ...n, NumericGreaterThan: 3 }], { n: 3 }, 'default'],
    [[{ ...n, NumericGreaterThan: 3 }], { n: '5' }, 'default'],
    [[{ ...n, NumericEquals: 0 }], { n: 0 }, 0],
    [[{ ...n, NumericEquals: 0 }], { n: '0' }, 'default'],
    [
      [
        { ...n, StringEquals: 'a' },
        { ...n, StringEquals: 'b' },
      ],
      { n: 'b' },
      1,
    ],
    [[{ ...n, StringEquals: 'a' }], {}, 'States.Runtime'],
    [[{ ...n, IsPresent: true }], { n: null }, 0],
    [[{ ...n, IsPresent: true }], {}, 'default'],
    [[{ ...n, IsPresent: true }], [], 'default'],
  ])('of %j goes with %j to %s', async (choices, input, expected) => {
    expect(await outcomeOf(rules(...choices), input)).toBe(expected);
  });

  it('without a match and a Default fails with States.NoChoiceMatched', async () => {
    const choose = { Type: 'Choice', Choices: [{ ...n, NumericEquals: 1, Next: 'Yes' }] };
    expect(await outcomeOf({ Choose: choose, Yes: { Type: 'Succeed' } }, { n: 2 })).toBe(
      'States.NoChoiceMatched',
    );
  });
});

describe('a Task', () => {
  it('invokes a function by name or ARN, and gives version, payload and status', async () => {
    const { create, run, history } = await startFixture((payload, arn) => ({
      payload: { arn, payload },
    }));
    const Parameters = { FunctionName: 'work', 'Payload.$': '$.inner' };
    const work = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Parameters };
    const answer = await run(create({ Work: { ...work, End: true } }), { inner: [1] });
    expect(JSON.parse(answer.output ?? '')).toStrictEqual({
      ExecutedVersion: '$LATEST',
      Payload: { arn: functionArn, payload: [1] },
      StatusCode: 200,
    });
    const events = await history(answer.executionArn);
    expect(events.map(({ previousEventId, type }) => [previousEventId, type])).toStrictEqual([
      [0, 'ExecutionStarted'],
      [0, 'TaskStateEntered'],
      [2, 'TaskScheduled'],
      [3, 'TaskStarted'],
      [4, 'TaskSucceeded'],
      [5, 'TaskStateExited'],
      [6, 'ExecutionSucceeded'],
    ]);
  });

  const throttled = Object.assign(new Error('Rate exceeded'), {
    name: 'Lambda.TooManyRequestsException',
  });
  it.each<[string, () => ReturnType<typeof thrown>, string, string]>([
    [
      'the function fails',
      () => thrown('RateLimited', 'say "when"\n'),
      'RateLimited',
      JSON.stringify(thrown('RateLimited', 'say "when"\n').payload),
    ],
    [
      'the function answers without an errorType',
      () => ({ payload: null, functionError: 'Unhandled' }),
      'Lambda.Unknown',
      'null',
    ],
    [
      'the function could not be run',
      () => {
        throw throttled;
      },
      'Lambda.TooManyRequestsException',
      'Rate exceeded',
    ],
  ])('fails when %s', async (_, lambda, error, cause) => {
    const { create, run } = await startFixture(lambda);
    expect(await run(create({ Work: task() }))).toMatchObject({ status: 'FAILED', error, cause });
  });

  it('times out without a cause, and the function is told that nobody waits', async () => {
    const signals: AbortSignal[] = [];
    const { create, run, history } = await startFixture(
      async (_, __, signal) => {
        signals.push(signal);
        await new Held().hold(signal);
        return { payload: 'too late' };
      },
      {
        wait: (milliseconds) => (milliseconds === 930_000 ? Promise.resolve() : new Promise(never)),
      },
    );
    const answer = await run(
      create({
        Work: task({
          TimeoutSeconds: 930,
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late' }],
        }),
        Late: pass,
      }),
    );
    expect(answer.output).toBe('{"Error":"States.Timeout","Cause":""}');
    expect(signals.map((signal) => signal.aborted)).toStrictEqual([true]);
    const events = await history(answer.executionArn);
    expect(typesOf(events)).toStrictEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskTimedOut',
      'TaskStateExited',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events[4]?.taskTimedOutEventDetails).toStrictEqual({
      error: 'States.Timeout',
      resource: 'invoke',
      resourceType: 'lambda',
    });
  });
});

describe('Retry and Catch', () => {
  it('waits as the retrier says: interval, rate, jitter and cap, each rule with attempts of its own', async () => {
    const waits: number[] = [];
    const errors = ['A', 'B', 'A', 'A', 'B'];
    let calls = 0;
    const { create, run } = await startFixture(
      () => {
        const error = errors[calls];
        calls += 1;
        return error === undefined ? { payload: 'done' } : thrown(error);
      },
      {
        retryDelay: (milliseconds) => milliseconds,
        random: () => 0.5,
        wait: (milliseconds) => {
          waits.push(milliseconds);
          return Promise.resolve();
        },
      },
    );
    const answer = await run(
      create({
        Work: task({
          Retry: [
            {
              ErrorEquals: ['A'],
              IntervalSeconds: 2,
              BackoffRate: 3,
              MaxDelaySeconds: 10,
              JitterStrategy: 'FULL',
            },
            { ErrorEquals: ['States.ALL'] },
          ],
        }),
      }),
    );
    expect(answer.output).toBe('"done"');
    expect(waits).toStrictEqual([1_000, 1_000, 3_000, 5_000, 2_000]);
  });

  it('gives up after MaxAttempts and fails with the last error', async () => {
    let calls = 0;
    const { create, run, history } = await startFixture(() => {
      calls += 1;
      return thrown('RateLimited', `call ${calls}`);
    });
    const answer = await run(
      create({ Work: task({ Retry: [{ ErrorEquals: ['RateLimited'], MaxAttempts: 2 }] }) }),
    );
    expect([calls, answer.error]).toStrictEqual([3, 'RateLimited']);
    expect(answer.cause).toContain('call 3');
    const attempt = ['TaskScheduled', 'TaskStarted', 'TaskFailed'];
    expect(typesOf(await history(answer.executionArn))).toStrictEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      ...[...attempt, ...attempt, ...attempt],
      'ExecutionFailed',
    ]);
  });

  it.each<[string | undefined, unknown]>([
    ['$.failure', { id: 7, failure: { Error: 'Broken', Cause: '{}' } }],
    ['$', { Error: 'Broken', Cause: '{}' }],
    [undefined, { Error: 'Broken', Cause: '{}' }],
  ])('hands the error to the state of Catch at the ResultPath %s', async (path, expected) => {
    const { create, run } = await startFixture(() => thrown('Broken'));
    const rule = path === undefined ? {} : { ResultPath: path };
    const answer = await run(
      create({
        Work: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Failed', ...rule }] }),
        Failed: pass,
      }),
      { id: 7 },
    );
    const cause = JSON.stringify(thrown('Broken').payload);
    const output = JSON.parse(
      (answer.output ?? '').replace(JSON.stringify(cause), '"{}"'),
    ) as unknown;
    expect(output).toStrictEqual(expected);
  });

  it.each([
    ['States.Runtime', { InputPath: '$.nothing' }, 'States.ALL', 'States.Runtime'],
    ['a result that is too large', {}, 'States.ALL', 'States.DataLimitExceeded'],
    ['a result that is too large', {}, 'States.DataLimitExceeded', undefined],
  ])('%s, with %j, is caught by %s: not when it is %s', async (_, more, names, error) => {
    const { create, run } = await startFixture(() => ({ payload: 'x'.repeat(262_144) }));
    const answer = await run(
      create({
        Work: task({ ...more, Catch: [{ ErrorEquals: [names], Next: 'Caught' }] }),
        Caught: { ...pass, Result: 'caught' },
      }),
    );
    expect([answer.error, answer.output]).toStrictEqual([
      error,
      error === undefined ? '"caught"' : undefined,
    ]);
  });
});

describe('a Fail state', () => {
  it.each<[object, unknown, string | undefined, string | undefined]>([
    [{ Error: 'Bad', Cause: 'why' }, {}, 'Bad', 'why'],
    [{}, {}, undefined, undefined],
    [{ ErrorPath: '$.e', CausePath: 'States.JsonToString($)' }, { e: 'A' }, 'A', '{"e":"A"}'],
    [{ ErrorPath: '$.e', Cause: 'late' }, { e: 'States.Timeout' }, 'States.Timeout', 'late'],
    [
      { ErrorPath: '$.e' },
      { e: 5 },
      'States.Runtime',
      "The 'ErrorPath' of a Fail state must give a string",
    ],
    [{ CausePath: '$.c' }, { c: 'x'.repeat(32_769) }, undefined, 'x'.repeat(32_768)],
  ])('%j fails', async (state, input, error, cause) => {
    const { create, run } = await startFixture();
    const answer = await run(create({ No: { Type: 'Fail', ...state } }), input);
    expect([answer.status, answer.error, answer.cause]).toStrictEqual(['FAILED', error, cause]);
  });
});

describe('an inline Map', () => {
  const map = (more: object = {}): object => ({
    Each: {
      Type: 'Map',
      ItemProcessor: { StartAt: 'Item', States: { Item: task() } },
      End: true,
      ...more,
    },
  });

  it('hands each item to the processor, with index, value and the outer input at hand', async () => {
    const Item = {
      ...pass,
      Parameters: { 'in.$': '$', 'value.$': '$$.Map.Item.Value', 'id.$': '$$.Execution.Input.id' },
    };
    const states = map({
      ItemsPath: '$.list',
      ItemSelector: { 'i.$': '$$.Map.Item.Index', 'outer.$': '$.id' },
      ItemProcessor: { StartAt: 'Item', States: { Item } },
    });
    expect(await outcomeOf(states, { id: 'E', list: ['x', 'y'] })).toStrictEqual([
      { in: { i: 0, outer: 'E' }, value: 'x', id: 'E' },
      { in: { i: 1, outer: 'E' }, value: 'y', id: 'E' },
    ]);
  });

  it.each([
    [3, 3],
    [0, 40],
  ])(
    'with a MaxConcurrency of %i has %i items at work at most',
    async (MaxConcurrency, expected) => {
      const { lambda, most } = countingEcho();
      const { create, run } = await startFixture(lambda);
      const items = Array.from({ length: 60 }, (_, index) => index);
      const answer = await run(create(map({ MaxConcurrency })), items);
      expect([answer.output, most()]).toStrictEqual([JSON.stringify(items), expected]);
    },
  );

  it('fails once in its history, after its last attempt', async () => {
    const { create, run, history } = await startFixture(() => thrown('Broken'));
    const states = map({ Retry: [{ ErrorEquals: ['Broken'], MaxAttempts: 1 }] });
    const answer = await run(create(states), [1]);
    expect(answer.error).toBe('Broken');
    const events = await history(answer.executionArn);
    expect(
      events.map(({ id, previousEventId, type }) => [id, previousEventId, type]),
    ).toStrictEqual([
      [1, 0, 'ExecutionStarted'],
      [2, 0, 'MapStateEntered'],
      [3, 2, 'MapStateStarted'],
      [4, 3, 'MapIterationStarted'],
      [5, 4, 'TaskStateEntered'],
      [6, 5, 'TaskScheduled'],
      [7, 6, 'TaskStarted'],
      [8, 7, 'TaskFailed'],
      [9, 8, 'MapIterationFailed'],
      [10, 8, 'MapStateStarted'],
      [11, 10, 'MapIterationStarted'],
      [12, 11, 'TaskStateEntered'],
      [13, 12, 'TaskScheduled'],
      [14, 13, 'TaskStarted'],
      [15, 14, 'TaskFailed'],
      [16, 15, 'MapIterationFailed'],
      [17, 15, 'MapStateFailed'],
      [18, 17, 'ExecutionFailed'],
    ]);
    expect(events[3]?.mapIterationStartedEventDetails).toStrictEqual({ name: 'Each', index: 0 });
  });

  it('aborts the other iterations when one fails', async () => {
    const held = new Held();
    const { create, run, history } = await startFixture(async (payload, _, signal) => {
      if (payload === 'waits') await held.hold(signal);
      await held.untilWaiting(1);
      return payload === 'waits' ? { payload } : thrown('Broken');
    });
    const answer = await run(create(map()), ['waits', 'fails']);
    expect(answer.error).toBe('Broken');
    expect(typesOf(await history(answer.executionArn)).slice(-4)).toStrictEqual([
      'MapIterationFailed',
      'MapIterationAborted',
      'MapStateFailed',
      'ExecutionFailed',
    ]);
  });
});

describe('an execution', () => {
  it('times out after the TimeoutSeconds of the state machine; only its history names the error', async () => {
    const { create, run, history } = await startFixture(
      async (_, __, signal) => {
        await new Held().hold(signal);
        return { payload: null };
      },
      { wait: (milliseconds) => (milliseconds === 7_000 ? Promise.resolve() : new Promise(never)) },
    );
    const answer = await run(create({ Work: task() }, 'Work', { TimeoutSeconds: 7 }));
    expect([answer.status, 'error' in answer, 'cause' in answer]).toStrictEqual([
      'TIMED_OUT',
      false,
      false,
    ]);
    expect((await history(answer.executionArn)).at(-1)?.type).toBe('ExecutionTimedOut');
  });

  it('is stopped with error and cause, and the function learns of it', async () => {
    const held = new Held();
    const signals: AbortSignal[] = [];
    const { client, create, standIn, history } = await startFixture(async (_, __, signal) => {
      signals.push(signal);
      await held.hold(signal);
      return { payload: null };
    });
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }];
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({
        stateMachineArn: create({ Work: task({ Catch }), Caught: pass }),
      }),
    );
    await held.untilWaiting(1);
    const stop = { executionArn, error: 'Enough', cause: 'no more' };
    const stopped = await client.send(new StopExecutionCommand(stop));
    const answer = await standIn.waitForExecution(executionArn);
    expect(answer).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'no more' });
    expect(stopped.stopDate?.getTime()).toBe((answer.stopDate ?? 0) * 1_000);
    expect(signals.map((signal) => signal.aborted)).toStrictEqual([true]);
    expect((await history(executionArn)).at(-1)).toMatchObject({
      type: 'ExecutionAborted',
      executionAbortedEventDetails: { error: 'Enough', cause: 'no more' },
    });
    await client.send(new StopExecutionCommand({ executionArn, error: 'again' }));
    expect(await standIn.waitForExecution(executionArn)).toStrictEqual(answer);
  });

  it('is stopped while it waits for a retry, and calls nothing any more', async () => {
    const failed = new Held();
    const { client, create, standIn } = await startFixture(() => {
      void failed.hold();
      return thrown('A');
    });
    const Retry = [{ ErrorEquals: ['A'], IntervalSeconds: 9_000_000 }];
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn: create({ Work: task({ Retry }) }) }),
    );
    await failed.untilWaiting(1);
    await client.send(new StopExecutionCommand({ executionArn }));
    await standIn.close();
    expect((await standIn.waitForExecution(executionArn)).status).toBe('ABORTED');
    expect(failed.waiting.length).toBe(1);
  });
});

describe('the payload limit of 262,144 bytes', () => {
  const limit = 262_144;
  /** A string whose JSON text has so many bytes. */
  const textOf = (bytes: number): string => 'x'.repeat(bytes - 2);
  /** What lambda:invoke puts around a payload. */
  const around = JSON.stringify({ ExecutedVersion: '$LATEST', Payload: '', StatusCode: 200 });

  it.each<[string, string, object, string | undefined]>([
    ['a result at the limit', textOf(limit - around.length + 2), {}, undefined],
    [
      'a result one byte over it',
      textOf(limit - around.length + 3),
      {},
      'States.DataLimitExceeded',
    ],
    ['bytes, not characters', 'é'.repeat(limit / 2), {}, 'States.DataLimitExceeded'],
    ['a result that is dropped', textOf(limit), { ResultPath: null }, 'States.DataLimitExceeded'],
    [
      'what ResultPath puts together',
      textOf(limit - 200),
      { ResultPath: '$.result', OutputPath: '$' },
      'States.DataLimitExceeded',
    ],
  ])('holds for %s', async (_, payload, more, error) => {
    const { create, run } = await startFixture(() => ({ payload }));
    const answer = await run(create({ Work: task(more) }), { id: 'x'.repeat(300) });
    expect(answer.error).toBe(error);
  });

  it('holds for what Parameters make, before the function is called', async () => {
    let calls = 0;
    const { create, run } = await startFixture(() => {
      calls += 1;
      return { payload: null };
    });
    const Parameters = { FunctionName: functionArn, Payload: { 'a.$': '$', 'b.$': '$' } };
    const answer = await run(create({ Work: task({ Parameters }) }), textOf(limit / 2));
    expect([answer.error, calls]).toStrictEqual(['States.DataLimitExceeded', 0]);
  });

  it('holds for what a Catch puts beside the input', async () => {
    const { create, run } = await startFixture(() => thrown('Broken', 'x'.repeat(30_000)));
    const Catch = [{ ErrorEquals: ['Broken'], ResultPath: '$.failure', Next: 'Caught' }];
    const answer = await run(create({ Work: task({ Catch }), Caught: { ...pass, Result: 1 } }), {
      large: 'x'.repeat(250_000),
    });
    expect(answer.error).toBe('States.DataLimitExceeded');
  });
});

describe('the history limit of 25,000 events', () => {
  // Four events an item, and six around them.
  const items = Array.from({ length: 6_248 }, () => 0);
  const each = {
    Type: 'Map',
    ItemProcessor: { StartAt: 'Item', States: { Item: pass } },
    Next: 'Last',
  };

  it.each<[string, object, string | undefined]>([
    ['lets an execution end with event 25,000', { Last: { Type: 'Succeed' } }, undefined],
    [
      'fails an execution that would need one more',
      { Last: { Type: 'Pass', Next: 'End' }, End: { Type: 'Succeed' } },
      'The execution reached the maximum number of history events (25000).',
    ],
  ])('%s', async (_, states, cause) => {
    const { client, create, run } = await startFixture();
    const answer = await run(create({ Each: each, ...states }), items);
    expect(answer.cause).toBe(cause);
    const { events = [] } = await client.send(
      new GetExecutionHistoryCommand({
        executionArn: answer.executionArn,
        reverseOrder: true,
        maxResults: 1,
      }),
    );
    const type = cause === undefined ? 'ExecutionSucceeded' : 'ExecutionFailed';
    expect(events.map((event) => [event.id, event.type])).toStrictEqual([[25_000, type]]);
  });
});

const never = (): void => undefined;
