import { GetExecutionHistoryCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { echo, functionArn, startFixture, typesOf } from '../testing/stand_in_fixture.ts';

const limit = 262_144;
const task = { Type: 'Task', Resource: functionArn, End: true };
/** A string whose JSON text has so many bytes. */
const textOf = (bytes: number): string => 'x'.repeat(bytes - 2);

describe('the payload limit of 262,144 bytes', () => {
  it.each([
    [limit, 'SUCCEEDED', undefined],
    [limit + 1, 'FAILED', 'States.DataLimitExceeded'],
  ])('a function that returns %i bytes: %s', async (bytes, status, error) => {
    const { create, run } = await startFixture(() => ({ payload: textOf(bytes) }));
    const answer = await run(create({ Work: task }));
    expect([answer.status, answer.error]).toStrictEqual([status, error]);
  });

  it.each([
    [limit, ['SUCCEEDED', undefined, 1]],
    [limit + 1, ['FAILED', 'States.DataLimitExceeded', 0]],
  ])('a task payload that Parameters makes %i bytes of', async (bytes, expected) => {
    let calls = 0;
    const { create, run } = await startFixture(() => {
      calls += 1;
      return { payload: null };
    });
    const arn = create({ Work: { ...task, Parameters: { 'a.$': '$.half', 'b.$': '$' } } });
    // The payload holds the string twice, the input once: {"a":"…","b":{"half":"…","r":"…"}}.
    const half = 'x'.repeat(100_000);
    const input = {
      half,
      r: 'x'.repeat(bytes - 200_000 - '{"a":"","b":{"half":"","r":""}}'.length),
    };
    expect(JSON.stringify({ a: half, b: input }).length).toBe(bytes);
    const answer = await run(arn, input);
    expect([answer.status, answer.error, calls]).toStrictEqual(expected);
  });

  it('counts bytes of UTF-8, not characters', async () => {
    const { create, run } = await startFixture(() => ({ payload: 'é'.repeat(limit / 2) }));
    expect((await run(create({ Work: task }))).error).toBe('States.DataLimitExceeded');
  });

  it('holds for a result that the state then throws away', async () => {
    const { create, run } = await startFixture(() => ({ payload: textOf(limit + 1) }));
    const answer = await run(create({ Work: { ...task, ResultPath: null } }), { id: 1 });
    expect(answer.error).toBe('States.DataLimitExceeded');
  });

  it('holds for what ResultPath puts together', async () => {
    const { create, run } = await startFixture(() => ({ payload: textOf(limit - 10) }));
    const small = { Type: 'Pass', Result: 'small', End: true };
    const work = { Type: 'Task', Resource: functionArn, ResultPath: '$.result', Next: 'Small' };
    const answer = await run(create({ Work: work, Small: small }), { id: 1 });
    expect(answer.error).toBe('States.DataLimitExceeded');
  });

  it("can't be caught by States.ALL, but by its name", async () => {
    const { create, run } = await startFixture(() => ({ payload: textOf(limit + 1) }));
    const caughtBy = async (error: string) =>
      run(
        create({
          Work: {
            ...task,
            Retry: [{ ErrorEquals: ['States.ALL'] }],
            Catch: [{ ErrorEquals: [error], Next: 'Caught' }],
          },
          Caught: { Type: 'Pass', Result: 'caught', End: true },
        }),
      );
    expect((await caughtBy('States.ALL')).error).toBe('States.DataLimitExceeded');
    expect((await caughtBy('States.DataLimitExceeded')).output).toBe('"caught"');
  });

  it('holds for what a Catch puts beside the input', async () => {
    const { create, run } = await startFixture(() => ({
      payload: { errorType: 'Broken', errorMessage: 'x'.repeat(30_000) },
      functionError: 'Unhandled',
    }));
    const answer = await run(
      create({
        Work: {
          ...task,
          Catch: [{ ErrorEquals: ['Broken'], ResultPath: '$.failure', Next: 'Caught' }],
        },
        Caught: { Type: 'Pass', Result: 'caught', End: true },
      }),
      { large: 'x'.repeat(250_000) },
    );
    expect([answer.status, answer.error]).toStrictEqual(['FAILED', 'States.DataLimitExceeded']);
  });
});

describe('the history limit of 25,000 events', () => {
  // A turn of the loop is two states with two events each; 1 event starts the execution.
  const loop = {
    Count: { Type: 'Pass', Parameters: { 'n.$': 'States.MathAdd($.n, 1)' }, Next: 'More' },
    More: {
      Type: 'Choice',
      Choices: [{ Variable: '$.n', NumericLessThan: 6_249, Next: 'Count' }],
      Default: 'Done',
    },
    Done: { Type: 'Pass', End: true },
  };

  it('lets an execution end with event 25,000', async () => {
    const { create, run, client } = await startFixture(echo);
    const arn = create({ ...loop, Done: { Type: 'Succeed' } }, 'Count');
    const answer = await run(arn, { n: 0 });
    // 1 + 6,249 · 4 + 2 + 1
    expect([answer.status, await lastEvent(client, answer.executionArn)]).toStrictEqual([
      'SUCCEEDED',
      [25_000, 'ExecutionSucceeded'],
    ]);
  });

  it('fails an execution that would need one more', async () => {
    const { create, run, client } = await startFixture(echo);
    const arn = create(
      { ...loop, Done: { Type: 'Pass', Next: 'End' }, End: { Type: 'Fail' } },
      'Count',
    );
    const answer = await run(arn, { n: 0 });
    expect([answer.status, answer.error, answer.cause]).toStrictEqual([
      'FAILED',
      'States.Runtime',
      'The execution reached the maximum number of history events (25000).',
    ]);
    expect(await lastEvent(client, answer.executionArn)).toStrictEqual([25_000, 'ExecutionFailed']);
  });
});

async function lastEvent(client: SFNClient, executionArn: string): Promise<unknown[]> {
  const { events = [] } = await client.send(
    new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }),
  );
  return [events[0]?.id, ...typesOf(events)];
}
