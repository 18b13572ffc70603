import { StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { functionArn, Held, startFixture, thrown, typesOf } from '../testing/stand_in_fixture.ts';
import { maxCauseLength } from './limits.ts';

const task = { Type: 'Task', Resource: functionArn, End: true };

describe('a Task', () => {
  it('hands its input to the function and gives its result', async () => {
    const { create, run } = await startFixture((payload, arn) => ({ payload: { payload, arn } }));
    const answer = await run(create({ Work: task }), { a: 1 });
    expect([answer.status, answer.output]).toStrictEqual([
      'SUCCEEDED',
      JSON.stringify({ payload: { a: 1 }, arn: functionArn }),
    ]);
  });

  it('gives null for a function that returns nothing', async () => {
    const { create, run } = await startFixture(() => ({ payload: undefined }));
    expect((await run(create({ Work: task }))).output).toBe('null');
  });

  it('fails with the errorType and the whole payload as text when the function fails', async () => {
    const { create, run } = await startFixture(() => thrown('RateLimited', 'say "when"\n'));
    const answer = await run(create({ Work: task }));
    expect([answer.status, answer.error, answer.cause]).toStrictEqual([
      'FAILED',
      'RateLimited',
      JSON.stringify({ errorType: 'RateLimited', errorMessage: 'say "when"\n', trace: [] }),
    ]);
  });

  it("fails with the service's own error when the function can't be run", async () => {
    const throttled = Object.assign(new Error('Rate exceeded'), {
      name: 'Lambda.TooManyRequestsException',
    });
    const { create, run } = await startFixture(() => Promise.reject(throttled));
    const answer = await run(create({ Work: task }));
    expect([answer.error, answer.cause]).toStrictEqual([
      'Lambda.TooManyRequestsException',
      'Rate exceeded',
    ]);
  });

  it('invokes through lambda:invoke by name and gives version, payload and status', async () => {
    const { create, run, history } = await startFixture((payload, arn) => ({
      payload: { arn, payload },
    }));
    const arn = create({
      Work: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: 'work', 'Payload.$': '$.inner' },
        End: true,
      },
    });
    const answer = await run(arn, { inner: [1] });
    expect(JSON.parse(answer.output ?? '')).toStrictEqual({
      ExecutedVersion: '$LATEST',
      Payload: { arn: functionArn, payload: [1] },
      StatusCode: 200,
    });
    expect(typesOf(await history(answer.executionArn))).toStrictEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('times out after TimeoutSeconds, abandons the function and can be caught', async () => {
    const signals: AbortSignal[] = [];
    const { create, run, history } = await startFixture(async (_, __, signal) => {
      signals.push(signal);
      await new Held().hold(signal);
      return { payload: 'too late' };
    });
    const answer = await run(
      create({
        Work: {
          ...task,
          TimeoutSeconds: 1,
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late' }],
        },
        Late: { Type: 'Pass', Result: 'late', End: true },
      }),
    );
    expect([answer.status, answer.output]).toStrictEqual(['SUCCEEDED', '"late"']);
    expect(signals.map((signal) => signal.aborted)).toStrictEqual([true]);
    expect(typesOf(await history(answer.executionArn))).toStrictEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionTimedOut',
      'TaskStateExited',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
  });
});

describe('Retry and Catch', () => {
  it('retries by the first rule that names the error, each rule with attempts of its own', async () => {
    const errors = ['A', 'B', 'A', 'B', 'A'];
    let calls = 0;
    const { create, run } = await startFixture(() => {
      const error = errors[calls];
      calls += 1;
      return error === undefined ? { payload: 'done' } : thrown(error);
    });
    const arn = create({
      Work: {
        ...task,
        Retry: [
          { ErrorEquals: ['A'], MaxAttempts: 3, IntervalSeconds: 1, JitterStrategy: 'FULL' },
          { ErrorEquals: ['States.ALL'], MaxAttempts: 2, BackoffRate: 2, MaxDelaySeconds: 3 },
        ],
      },
    });
    const answer = await run(arn);
    expect([answer.output, calls]).toStrictEqual(['"done"', 6]);
  });

  it('gives up after MaxAttempts and fails with the last error', async () => {
    let calls = 0;
    const { create, run, history } = await startFixture(() => {
      calls += 1;
      return thrown('RateLimited', `call ${calls}`);
    });
    const answer = await run(
      create({ Work: { ...task, Retry: [{ ErrorEquals: ['RateLimited'], MaxAttempts: 2 }] } }),
    );
    expect([calls, answer.error]).toStrictEqual([3, 'RateLimited']);
    expect(answer.cause).toContain('call 3');
    const attempt = ['LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionFailed'];
    expect(typesOf(await history(answer.executionArn))).toStrictEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      ...attempt,
      ...attempt,
      ...attempt,
      'ExecutionFailed',
    ]);
  });

  it('does not retry what no rule names', async () => {
    let calls = 0;
    const { create, run } = await startFixture(() => {
      calls += 1;
      return thrown('InvalidRequest');
    });
    await run(create({ Work: { ...task, Retry: [{ ErrorEquals: ['RateLimited'] }] } }));
    expect(calls).toBe(1);
  });

  it('hands error and cause to the state of Catch, beside the input with a ResultPath', async () => {
    const { create, run } = await startFixture(() => thrown('Broken', 'why'));
    const answer = await run(
      create({
        Work: {
          ...task,
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Failed' }],
        },
        Failed: { Type: 'Pass', End: true },
      }),
      { id: 7 },
    );
    expect(JSON.parse(answer.output ?? '')).toStrictEqual({
      id: 7,
      failure: {
        Error: 'Broken',
        Cause: '{"errorType":"Broken","errorMessage":"why","trace":[]}',
      },
    });
  });

  it('replaces the input with a ResultPath of $', async () => {
    const { create, run } = await startFixture(() => thrown('Broken'));
    const answer = await run(
      create({
        Work: {
          ...task,
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$', Next: 'Failed' }],
        },
        Failed: { Type: 'Pass', OutputPath: '$.Error', End: true },
      }),
    );
    expect(answer.output).toBe('"Broken"');
  });

  it('never lets States.ALL catch States.Runtime', async () => {
    const { create, run } = await startFixture();
    const answer = await run(
      create({
        Work: {
          ...task,
          InputPath: '$.nothing',
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Failed' }],
        },
        Failed: { Type: 'Pass', End: true },
      }),
      { a: 1 },
    );
    expect([answer.status, answer.error, answer.cause]).toStrictEqual([
      'FAILED',
      'States.Runtime',
      `The JSONPath '$.nothing' specified for the field 'InputPath' could not be found in the input '{"a":1}'`,
    ]);
  });
});

describe('StopExecution', () => {
  it('aborts a running execution with error and cause, and the function learns of it', async () => {
    const held = new Held();
    const signals: AbortSignal[] = [];
    const { client, create, standIn, history } = await startFixture(async (_, __, signal) => {
      signals.push(signal);
      await held.hold(signal);
      return { payload: null };
    });
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn: create({ Work: task }) }),
    );
    await held.untilWaiting(1);
    const stopped = await client.send(
      new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'no more' }),
    );
    const answer = await standIn.waitForExecution(executionArn);
    expect([answer.status, answer.error, answer.cause, answer.output]).toStrictEqual([
      'ABORTED',
      'Enough',
      'no more',
      undefined,
    ]);
    expect(stopped.stopDate?.getTime()).toBe((answer.stopDate ?? 0) * 1_000);
    expect(signals.map((signal) => signal.aborted)).toStrictEqual([true]);
    const events = await history(executionArn);
    expect(events.at(-1)).toMatchObject({
      type: 'ExecutionAborted',
      executionAbortedEventDetails: { error: 'Enough', cause: 'no more' },
    });
  });

  it('changes nothing of an execution that has ended', async () => {
    const { client, create, run, standIn } = await startFixture();
    const answer = await run(create({ Work: task }));
    await client.send(new StopExecutionCommand({ executionArn: answer.executionArn, error: 'X' }));
    expect(await standIn.waitForExecution(answer.executionArn)).toStrictEqual(answer);
  });

  it('ends a wait between two attempts', async () => {
    const failed = new Held();
    const { client, create, standIn } = await startFixture(() => {
      void failed.hold();
      return thrown('A');
    });
    const arn = create({
      Work: { ...task, Retry: [{ ErrorEquals: ['A'], IntervalSeconds: 9_000_000 }] },
    });
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn: arn }),
    );
    await failed.untilWaiting(1);
    await client.send(new StopExecutionCommand({ executionArn }));
    await standIn.close();
    expect((await standIn.waitForExecution(executionArn)).status).toBe('ABORTED');
    expect(failed.waiting.length).toBe(1);
  });
});

describe('a Fail state', () => {
  it('gives its literal error and cause', async () => {
    const { create, run, history } = await startFixture();
    const answer = await run(create({ No: { Type: 'Fail', Error: 'Bad', Cause: 'so it is' } }));
    expect([answer.status, answer.error, answer.cause]).toStrictEqual([
      'FAILED',
      'Bad',
      'so it is',
    ]);
    expect(typesOf(await history(answer.executionArn))).toStrictEqual([
      'ExecutionStarted',
      'FailStateEntered',
      'ExecutionFailed',
    ]);
  });

  it('has neither error nor cause when it names none', async () => {
    const { create, run } = await startFixture();
    const answer = await run(create({ No: { Type: 'Fail' } }));
    expect(['error' in answer, 'cause' in answer]).toStrictEqual([false, false]);
  });

  it('takes its cause from an intrinsic function, as valid JSON', async () => {
    const { create, run } = await startFixture();
    const input = { code: 'TooMany', failures: [{ cause: '{"errorMessage":"a \\"quote\\""}' }] };
    const answer = await run(
      create({
        No: { Type: 'Fail', ErrorPath: '$.code', CausePath: 'States.JsonToString($)' },
      }),
      input,
    );
    expect(answer.error).toBe('TooMany');
    expect(JSON.parse(answer.cause ?? '')).toStrictEqual(input);
  });

  it('keeps the first 32,768 characters of a cause', async () => {
    const { create, run } = await startFixture();
    const answer = await run(create({ No: { Type: 'Fail', CausePath: '$.long' } }), {
      long: 'x'.repeat(maxCauseLength + 1),
    });
    expect(answer.cause?.length).toBe(32_768);
  });
});

describe('the whole execution', () => {
  it('times out after the TimeoutSeconds of the state machine', async () => {
    const { create, run, history } = await startFixture(async (_, __, signal) => {
      await new Held().hold(signal);
      return { payload: null };
    });
    const answer = await run(create({ Work: task }, 'Work', { TimeoutSeconds: 1 }));
    expect([answer.status, answer.error]).toStrictEqual(['TIMED_OUT', 'States.Timeout']);
    expect((await history(answer.executionArn)).at(-1)?.type).toBe('ExecutionTimedOut');
  });

  it('runs twice at once in two stand-ins without a trace of each other', async () => {
    const [one, two] = await Promise.all([
      startFixture(() => ({ payload: 'one' })),
      startFixture(() => ({ payload: 'two' })),
    ]);
    const answers = await Promise.all([
      one.run(one.create({ Work: task })),
      two.run(two.create({ Work: task })),
    ]);
    expect(answers.map((answer) => answer.output)).toStrictEqual(['"one"', '"two"']);
  });
});
