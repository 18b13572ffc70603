import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { Patience } from './patience.ts';
import { VirtualTiming } from './testing/virtual_timing.ts';

const SETTINGS = { firstWaitMs: 1_000, longestWaitMs: 5_000, giveUpAfterMs: 60_000 };

function failing(name: string, details: object = {}): Error {
  return Object.assign(new Error(name), { name }, details);
}

const CUT = failing('Error', { code: 'ECONNRESET' });
const THROTTLED = failing('ThrottlingException');
const BROKEN = failing('InternalFailure', { $fault: 'server', $metadata: { httpStatusCode: 500 } });

/** Asks with patience what fails with these errors, one after the other, and then answers. */
function ask(errors: readonly Error[], signal?: AbortSignal) {
  const timing = new VirtualTiming();
  const lines: string[] = [];
  const left = [...errors];
  const patience = new Patience(SETTINGS, timing, (line) => lines.push(line));
  const answer = patience.ask(() => {
    const error = left.shift();
    return error === undefined ? Promise.resolve('answer') : Promise.reject(error);
  }, signal);
  return { answer, lines, timing, left };
}

describe('patience with AWS', () => {
  it('has nothing to say when all is well', async () => {
    const { answer, lines, timing } = ask([]);

    expect([await answer, lines, timing.sleeps]).toStrictEqual(['answer', [], []]);
  });

  it('waits longer and longer between tries, tells of a trouble once, and of its end', async () => {
    const { answer, lines, timing } = ask(Array<Error>(5).fill(CUT));

    expect(await answer).toBe('answer');
    expect(timing.sleeps).toStrictEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(lines).toStrictEqual([
      'The connection to AWS is lost: trying again for 1 min',
      'AWS answers again',
    ]);
  });

  it('goes on for as long as AWS asks for a slower pace', async () => {
    const { answer, lines, timing } = ask(Array<Error>(100).fill(THROTTLED));

    expect(await answer).toBe('answer');
    expect(timing.sleeps).toHaveLength(100);
    expect(lines).toStrictEqual([
      'AWS asks for a slower pace: looking less often',
      'AWS answers again',
    ]);
  });

  it.each([
    ['can not be reached', CUT],
    ['fails', BROKEN],
  ])('ends when AWS %s for too long', async (_, error) => {
    const { answer, timing, left } = ask(Array<Error>(100).fill(error));

    expect(await rejection(answer)).toBe(error);
    // 1 + 2 + 4 + 5 + … seconds
    expect([timing.now(), 100 - left.length]).toStrictEqual([62_000, 15]);
  });

  it('counts the time anew when AWS answered in between, though only to ask for a slower pace', async () => {
    const lost = Array<Error>(11).fill(CUT);
    const { answer, lines, timing } = ask([...lost, THROTTLED, ...lost, BROKEN]);

    expect(await answer).toBe('answer');
    expect(timing.now()).toBeGreaterThan(100_000);
    expect(lines).toStrictEqual([
      'The connection to AWS is lost: trying again for 1 min',
      'AWS asks for a slower pace: looking less often',
      'The connection to AWS is lost: trying again for 1 min',
      'AWS fails to answer: trying again for 1 min',
      'AWS answers again',
    ]);
  });

  it.each(['ExpiredTokenException', 'AccessDeniedException', 'ExecutionDoesNotExist', 'TypeError'])(
    'has none with %s',
    async (name) => {
      const error = failing(name);
      const { answer, lines, timing } = ask([error]);

      expect(await rejection(answer)).toBe(error);
      expect([lines, timing.sleeps]).toStrictEqual([[], []]);
    },
  );

  it('ends as soon as nobody wants the answer any more', async () => {
    const { answer, timing } = ask([CUT], AbortSignal.abort());

    expect(await rejection(answer)).toBe(CUT);
    expect(timing.sleeps).toStrictEqual([]);
  });
});
