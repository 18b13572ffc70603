import { describe, expect, it } from 'vitest';
import { describeFailure, errorMessage, Failures } from './failures.ts';

describe('what a caught error says', () => {
  it.each([
    [
      'the message of a failed function',
      '{"errorType":"RateLimited","errorMessage":"slow down","trace":["a"]}',
      'slow down',
    ],
    ['plain text', 'timed out', 'timed out'],
    ['JSON without a message', '{"reason":"x"}', '{"reason":"x"}'],
    ['JSON with a message that is no text', '{"errorMessage":1}', '{"errorMessage":1}'],
    ['JSON that is null', 'null', 'null'],
    ['nothing', '', ''],
    ['a long text, whole', 'x'.repeat(900), 'x'.repeat(900)],
  ])('is %s', (_, cause, message) => {
    expect(errorMessage(cause)).toBe(message);
  });

  it.each([
    ['300 characters', 'x'.repeat(300), 'x'.repeat(300)],
    ['301 characters, cut', 'x'.repeat(301), 'x'.repeat(300)],
    [
      'a function’s long message, cut',
      JSON.stringify({ errorMessage: 'y'.repeat(900) }),
      'y'.repeat(300),
    ],
  ])('is described by %s', (_, cause, shown) => {
    expect(describeFailure({ error: 'RateLimited', cause })).toStrictEqual({
      error: 'RateLimited',
      cause: shown,
    });
  });
});

describe('a failure that a state machine adds nothing to', () => {
  it.each([
    [undefined, 'the function did not answer within its time limit (States.Timeout)'],
    ['submit_batch', 'submit_batch did not answer within its time limit (States.Timeout)'],
  ])('says in words what timed out: %s', (step, cause) => {
    expect(describeFailure({ error: 'States.Timeout', cause: '' }, step)).toStrictEqual({
      error: 'States.Timeout',
      cause,
    });
  });

  it('keeps the cause that a timeout has', () => {
    expect(describeFailure({ error: 'States.Timeout', cause: 'too long' }).cause).toBe('too long');
  });
});

describe('a failure that a Fail state passes on', () => {
  const cause = JSON.stringify({ errorType: 'RateLimited', errorMessage: 'slow down' });
  const passedOn = (Error: string, Cause: string): string => JSON.stringify({ Error, Cause });

  it.each([
    ['PartFailed', passedOn('RateLimited', cause), 'RateLimited', 'slow down'],
    [
      'RunFailed',
      passedOn('PartFailed', passedOn('RateLimited', cause)),
      'RateLimited',
      'slow down',
    ],
    [
      'PartFailed',
      passedOn('States.Timeout', ''),
      'States.Timeout',
      'the function did not answer within its time limit (States.Timeout)',
    ],
    ['PartFailed', 'oops', 'PartFailed', 'oops'],
    ['PartFailed', '{"Error":"RateLimited"}', 'PartFailed', '{"Error":"RateLimited"}'],
    ['Another', passedOn('RateLimited', ''), 'Another', passedOn('RateLimited', '')],
  ])(
    'is described, and counted, as the error that was caught: %s, %s',
    (error, text, name, said) => {
      expect(describeFailure({ error, cause: text })).toStrictEqual({ error: name, cause: said });
      const failures = new Failures();
      failures.add({}, { error, cause: text });
      expect(failures.byReason).toStrictEqual({ [name]: 1 });
    },
  );
});

describe('failures', () => {
  function failed(names: readonly string[]): Failures<{ id: number }> {
    const failures = new Failures<{ id: number }>();
    for (const [id, error] of names.entries()) failures.add({ id }, { error, cause: 'why' });
    return failures;
  }

  it('shows the first 20 of 21, and counts all by their name', () => {
    const { shown, byReason } = failed([
      ...Array.from({ length: 20 }, () => 'RateLimited'),
      'InvalidRequest',
    ]);

    expect(shown.map(({ id, error }) => [id, error])).toStrictEqual(
      Array.from({ length: 20 }, (_, id) => [id, 'RateLimited']),
    );
    expect(byReason).toStrictEqual({ RateLimited: 20, InvalidRequest: 1 });
  });

  it('counts a thirteenth name, and all further ones, as Other', () => {
    const names = Array.from({ length: 14 }, (_, at) => `Error${at}`);

    const { byReason } = failed([...names, 'Error0', 'Error13']);

    expect(Object.keys(byReason)).toHaveLength(13);
    expect([byReason['Error0'], byReason['Error11'], byReason['Other']]).toStrictEqual([2, 1, 3]);
  });

  it('counts a name that every object knows as any other', () => {
    expect(failed(['constructor', 'constructor']).byReason).toStrictEqual({ constructor: 2 });
  });
});
