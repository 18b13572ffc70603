import { describe, expect, it } from 'vitest';
import { functionArn, Held, startFixture, thrown, typesOf } from '../testing/stand_in_fixture.ts';

describe('a Choice', () => {
  const choose = async (rule: object, input: unknown): Promise<string | undefined> => {
    const { create, run } = await startFixture();
    const answer = await run(
      create({
        Choose: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
        Yes: { Type: 'Pass', Result: 'yes', End: true },
        No: { Type: 'Pass', Result: 'no', End: true },
      }),
      input,
    );
    return answer.output ?? answer.error;
  };

  it.each([
    [{ Variable: '$.n', NumericGreaterThan: 3 }, { n: 4 }, '"yes"'],
    [{ Variable: '$.n', NumericGreaterThan: 3 }, { n: 3 }, '"no"'],
    [{ Variable: '$.n', NumericGreaterThan: 3 }, { n: '5' }, '"no"'],
    [{ Variable: '$.n', NumericEqualsPath: '$.m' }, { n: 1, m: 1 }, '"yes"'],
    [{ Variable: '$.n', IsPresent: true }, { n: null }, '"yes"'],
    [{ Variable: '$.n', IsPresent: false }, {}, '"yes"'],
    [{ Variable: '$.n', IsPresent: false }, { n: 0 }, '"no"'],
    [{ Variable: '$.n', IsNull: false }, { n: 0 }, '"yes"'],
    [{ Variable: '$.s', StringMatches: 'a*?' }, { s: 'abc?' }, '"yes"'],
    [{ Variable: '$.s', StringMatches: 'a*?' }, { s: 'abcd' }, '"no"'],
    [{ Variable: '$.s', StringMatches: 'a*' }, { s: 5 }, '"no"'],
    [{ Variable: '$.b', BooleanEquals: true }, { b: true }, '"yes"'],
    [
      { Variable: '$.t', TimestampLessThan: '2026-01-01T00:00:00Z' },
      { t: '2025-01-01T00:00:00Z' },
      '"yes"',
    ],
    [{ Variable: '$.n', NumericGreaterThan: 3 }, {}, 'States.Runtime'],
    [
      {
        And: [
          { Variable: '$.a', IsPresent: true },
          { Not: { Variable: '$.a', StringEquals: 'x' } },
        ],
      },
      { a: 'y' },
      '"yes"',
    ],
    [
      { Variable: '$$.Execution.Input.a', StringEquals: 'from the context' },
      { a: 'from the context' },
      '"yes"',
    ],
  ])('%j of %j gives %s', async (rule, input, expected) => {
    expect(await choose(rule, input)).toBe(expected);
  });

  it('sees the input of the execution, not of the iteration that it is in', async () => {
    const { create, run } = await startFixture();
    const answer = await run(
      create({
        Each: {
          Type: 'Map',
          ItemsPath: '$.list',
          ItemProcessor: {
            StartAt: 'Choose',
            States: {
              Choose: {
                Type: 'Choice',
                Choices: [
                  {
                    Variable: '$$.Execution.Input.mode',
                    StringEqualsPath: '$$.Map.Item.Value.mode',
                    Next: 'Yes',
                  },
                ],
                Default: 'No',
              },
              Yes: { Type: 'Pass', Result: 'yes', End: true },
              No: { Type: 'Pass', Result: 'no', End: true },
            },
          },
          End: true,
        },
      }),
      { mode: 'a', list: [{ mode: 'a' }, { mode: 'b' }] },
    );
    expect(answer.output).toBe('["yes","no"]');
  });

  it('fails with States.NoChoiceMatched without a Default', async () => {
    const { create, run } = await startFixture();
    const answer = await run(
      create({
        Choose: { Type: 'Choice', Choices: [{ Variable: '$.a', IsNull: true, Next: 'Yes' }] },
        Yes: { Type: 'Succeed' },
      }),
      { a: 1 },
    );
    expect([answer.status, answer.error]).toStrictEqual(['FAILED', 'States.NoChoiceMatched']);
  });
});

describe('data', () => {
  const pass = async (state: object, input: unknown): Promise<unknown> => {
    const { create, run } = await startFixture();
    const answer = await run(create({ Pass: { Type: 'Pass', End: true, ...state } }), input);
    return answer.output === undefined ? answer.error : (JSON.parse(answer.output) as unknown);
  };

  it.each([
    [{ InputPath: '$.a' }, { a: [1] }, [1]],
    [{ InputPath: null }, { a: 1 }, {}],
    [{ OutputPath: null }, { a: 1 }, {}],
    [{ Result: false }, { a: 1 }, false],
    [{ Result: null }, { a: 1 }, null],
    [{ Result: 2, ResultPath: '$.b.c' }, { a: 1 }, { a: 1, b: { c: 2 } }],
    [{ Result: 2, ResultPath: '$' }, { a: 1 }, 2],
    [{ Result: 2, ResultPath: null }, { a: 1 }, { a: 1 }],
    [{ Result: 2, ResultPath: '$.a.b' }, { a: 1 }, 'States.ResultPathMatchFailure'],
    [{ InputPath: '$.list[*].id' }, { list: [{ id: 1 }] }, [1]],
    [{ InputPath: '$.list[0:2]' }, { list: [1, 2, 3] }, [1, 2]],
    [{ InputPath: '$.list[-1]' }, { list: [1, 2, 3] }, 3],
    [{ InputPath: "$['a b']" }, { 'a b': 0 }, 0],
    [{ InputPath: '$' }, false, false],
    [
      { Parameters: { 'a.$': '$.x', b: [{ 'c.$': '$.y' }] } },
      { x: null, y: 0 },
      { a: null, b: [{ c: 0 }] },
    ],
    [{ Parameters: { 'a.$': '$.x' } }, {}, 'States.Runtime'],
    [{ Parameters: { 'a.$': "States.StringToJson('{')" } }, {}, 'States.IntrinsicFailure'],
  ])('%j of %j gives %j', async (state, input, expected) => {
    expect(await pass(state, input)).toStrictEqual(expected);
  });

  it.each([
    ["States.Format('{}-{} \\{\\}', $.a, 5)", 'x"\\y-5 {}'],
    ['States.JsonToString($)', '{"a":"x\\"\\\\y","l":[3,1,3]}'],
    ['States.StringToJson(\'{"a":"it\\\'s"}\')', { a: "it's" }],
    ['States.ArrayPartition($.l, 2)', [[3, 1], [3]]],
    ['States.ArrayContains($.l, 1)', true],
    ['States.ArrayRange(1, 9, 4)', [1, 5, 9]],
    ['States.ArrayGetItem($.l, 1)', 1],
    ['States.ArrayLength($.l)', 3],
    ['States.ArrayUnique($.l)', [3, 1]],
    ['States.Array($.a, null, true)', ['x"\\y', null, true]],
    ["States.Base64Decode(States.Base64Encode('é'))", 'é'],
    ["States.Hash('', 'MD5')", 'd41d8cd98f00b204e9800998ecf8427e'],
    ['States.MathAdd(1, -3)', -2],
    ["States.StringSplit('a.b,c', '.,')", ['a', 'b', 'c']],
    ['States.JsonMerge($, States.StringToJson(\'{"a":1}\'), false)', { a: 1, l: [3, 1, 3] }],
  ])('%s gives %j', async (call, expected) => {
    const input = { a: 'x"\\y', l: [3, 1, 3] };
    expect(await pass({ Parameters: { 'value.$': call } }, input)).toStrictEqual({
      value: expected,
    });
  });

  it('merges the context of the execution into the input, which stays as it was for a retry', async () => {
    const seen: unknown[] = [];
    const { create, run } = await startFixture((payload) => {
      seen.push(payload);
      return seen.length === 1 ? thrown('Again') : { payload };
    });
    const answer = await run(
      create({
        Work: {
          Type: 'Task',
          Resource: functionArn,
          Parameters: { 'all.$': 'States.JsonMerge($, $$.Execution, false)' },
          Retry: [{ ErrorEquals: ['Again'] }],
          ResultPath: '$.result',
          End: true,
        },
      }),
      { Name: 'mine', id: 7 },
    );
    const merged = {
      all: {
        Name: answer.name,
        id: 7,
        Id: answer.executionArn,
        Input: { Name: 'mine', id: 7 },
        RoleArn: 'arn:aws:iam::000000000000:role/workflow',
        StartTime: new Date(answer.startDate * 1_000).toISOString(),
        RedriveCount: 0,
      },
    };
    expect(seen).toStrictEqual([merged, merged]);
    expect(JSON.parse(answer.output ?? '')).toStrictEqual({ Name: 'mine', id: 7, result: merged });
  });

  it('knows the state, the retries and the state machine in the context', async () => {
    const output = await pass(
      { Parameters: { 'state.$': '$$.State', 'machine.$': '$$.StateMachine' } },
      {},
    );
    expect(output).toStrictEqual({
      state: {
        Name: 'Pass',
        EnteredTime: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        RetryCount: 0,
      },
      machine: {
        Id: 'arn:aws:states:us-east-1:000000000000:stateMachine:machine',
        Name: 'machine',
      },
    });
  });
});

describe('a Wait', () => {
  it('waits until a timestamp of the input that has passed, and gives its input', async () => {
    const { create, run } = await startFixture();
    const answer = await run(create({ Wait: { Type: 'Wait', TimestampPath: '$.at', End: true } }), {
      at: '2020-01-01T00:00:00Z',
    });
    expect(answer.output).toBe('{"at":"2020-01-01T00:00:00Z"}');
  });

  it('fails for seconds that are none', async () => {
    const { create, run } = await startFixture();
    const answer = await run(create({ Wait: { Type: 'Wait', SecondsPath: '$.s', End: true } }), {
      s: '1',
    });
    expect(answer.error).toBe('States.Runtime');
  });
});

describe('a Parallel', () => {
  const branch = (name: string): object => ({
    StartAt: name,
    States: { [name]: { Type: 'Task', Resource: `${functionArn}-${name}`, End: true } },
  });
  const parallel = { Type: 'Parallel', Branches: [branch('a'), branch('b')], End: true };

  it('gives the outputs in the order of the branches, whichever ends first', async () => {
    const held = new Held();
    const { create, run } = await startFixture(async (_, arn) => {
      if (arn.endsWith('-a')) await held.hold();
      else
        void held.untilWaiting(1).then(() => {
          held.releaseAll();
        });
      return { payload: arn.slice(-1) };
    });
    expect((await run(create({ Both: parallel }))).output).toBe('["a","b"]');
  });

  it('fails with the error of a branch, aborts the others and can be caught', async () => {
    const signals: AbortSignal[] = [];
    const held = new Held();
    const { create, run } = await startFixture(async (_, arn, signal) => {
      if (arn.endsWith('-a')) {
        signals.push(signal);
        await held.hold(signal);
        return { payload: null };
      }
      await held.untilWaiting(1);
      return thrown('Broken');
    });
    const answer = await run(
      create({
        Both: { ...parallel, Catch: [{ ErrorEquals: ['Broken'], Next: 'Caught' }] },
        Caught: { Type: 'Pass', OutputPath: '$.Error', End: true },
      }),
    );
    expect(answer.output).toBe('"Broken"');
    expect(signals.map((signal) => signal.aborted)).toStrictEqual([true]);
  });
});

describe('an inline Map', () => {
  const processor = {
    StartAt: 'Item',
    States: { Item: { Type: 'Task', Resource: functionArn, End: true } },
  };

  it('hands each item to the processor, with index, value and the outer input at hand', async () => {
    const { create, run } = await startFixture();
    const answer = await run(
      create({
        Each: {
          Type: 'Map',
          ItemsPath: '$.list',
          ItemSelector: { 'i.$': '$$.Map.Item.Index', 'outer.$': '$.id' },
          ItemProcessor: {
            StartAt: 'Item',
            States: {
              Item: {
                Type: 'Pass',
                Parameters: {
                  'in.$': '$',
                  'value.$': '$$.Map.Item.Value',
                  'execution.$': '$$.Execution.Input.id',
                },
                End: true,
              },
            },
          },
          End: true,
        },
      }),
      { id: 'E', list: ['x', 'y'] },
    );
    expect(JSON.parse(answer.output ?? '')).toStrictEqual([
      { in: { i: 0, outer: 'E' }, value: 'x', execution: 'E' },
      { in: { i: 1, outer: 'E' }, value: 'y', execution: 'E' },
    ]);
  });

  it('never has more items at work than MaxConcurrency, and reaches it', async () => {
    let running = 0;
    let most = 0;
    const { create, run } = await startFixture(async (payload) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return { payload };
    });
    const arn = create({
      Each: { Type: 'Map', MaxConcurrency: 3, ItemProcessor: processor, End: true },
    });
    const items = Array.from({ length: 20 }, (_, index) => index);
    expect((await run(arn, items)).output).toBe(JSON.stringify(items));
    expect(most).toBe(3);
  });

  it('aborts the other iterations when one fails', async () => {
    const held = new Held();
    const { create, run, history } = await startFixture(async (payload, _, signal) => {
      if (payload === 'waits') await held.hold(signal);
      await held.untilWaiting(1);
      return payload === 'waits' ? { payload } : thrown('Broken');
    });
    const answer = await run(
      create({ Each: { Type: 'Map', ItemProcessor: processor, End: true } }),
      ['waits', 'fails'],
    );
    expect(answer.error).toBe('Broken');
    const events = await history(answer.executionArn);
    expect(typesOf(events).slice(-4)).toStrictEqual([
      'MapIterationFailed',
      'MapIterationAborted',
      'MapStateFailed',
      'ExecutionFailed',
    ]);
  });

  it('tells of each iteration in the history', async () => {
    const { create, run, history } = await startFixture(() => thrown('Broken'));
    const answer = await run(
      create({ Each: { Type: 'Map', ItemProcessor: processor, End: true } }),
      [1],
    );
    expect([answer.status, answer.error]).toStrictEqual(['FAILED', 'Broken']);
    const events = await history(answer.executionArn);
    expect(typesOf(events)).toStrictEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapStateStarted',
      'MapIterationStarted',
      'TaskStateEntered',
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionFailed',
      'MapIterationFailed',
      'MapStateFailed',
      'ExecutionFailed',
    ]);
    expect(events[3]?.mapIterationStartedEventDetails).toStrictEqual({ name: 'Each', index: 0 });
  });
});
