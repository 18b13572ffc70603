import { ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type ScriptedAnswers, scriptedSfn, VirtualTiming } from './testing/scripted_sfn.ts';
import {
  askAws,
  AWS_PACE,
  type Look,
  watchExecution,
  type WatchSettings,
} from './watch_execution.ts';

const ARN = 'arn:aws:states:us-east-1:111122223333:execution:machine:name';
const MAP_RUN = 'arn:aws:states:us-east-1:111122223333:mapRun:machine/Items:id';
const SECOND = 1_000;

function failing(name: string, details: object = {}): Error {
  return Object.assign(new Error(name), { name }, details);
}

const notThere = (): never => {
  throw new ExecutionDoesNotExist({ message: 'Execution Does Not Exist', $metadata: {} });
};

/** A workflow over 2,000 items, one each 50 ms; its Map begins after 3 seconds, and after it 20 seconds remain. */
function workflow(timing: VirtualTiming, changes: ScriptedAnswers = {}): ScriptedAnswers {
  const inMap = (): number => timing.now() - 3 * SECOND;
  const done = (): number => Math.max(0, Math.min(2_000, Math.floor(inMap() / 50)));
  return {
    DescribeExecution: () => ({
      executionArn: ARN,
      status: inMap() < 120 * SECOND ? 'RUNNING' : 'SUCCEEDED',
    }),
    ListMapRuns: () => ({ mapRuns: inMap() < 0 ? [] : [{ mapRunArn: MAP_RUN }] }),
    DescribeMapRun: () => ({
      status: done() === 2_000 ? 'SUCCEEDED' : 'RUNNING',
      itemCounts: { total: 2_000, succeeded: done(), failed: 0, aborted: 0, timedOut: 0 },
    }),
    ...changes,
  };
}

function watch(
  changes: (timing: VirtualTiming) => ScriptedAnswers = () => ({}),
  settings: Partial<WatchSettings> = {},
) {
  const timing = new VirtualTiming();
  const { sfn, asked } = scriptedSfn(workflow(timing, changes(timing)));
  const looks: Look[] = [];
  const troubles: string[] = [];
  const end = watchExecution(ARN, {
    sfn,
    timing,
    pace: AWS_PACE,
    onLook: (look) => {
      looks.push(look);
    },
    onTrouble: (line) => troubles.push(line),
    ...settings,
  });
  return { end, looks, troubles, asked, timing };
}

describe('watching an execution over 2,000 items', () => {
  it('shows a progress that never goes back, of the right total, to its end', async () => {
    const { end, looks } = watch();

    expect((await end).status).toBe('SUCCEEDED');
    const items = looks.flatMap((look) => look.items ?? []);
    const done = items.map((look) => look.done);
    expect(done).toStrictEqual(done.toSorted((a, b) => a - b));
    expect(new Set(items.map((look) => look.total))).toStrictEqual(new Set([2_000]));
    expect(items.at(-1)).toStrictEqual({ total: 2_000, done: 2_000, failed: 0 });
    expect(new Set(done).size).toBeGreaterThan(40);
    expect(looks.map(({ isRunning }) => isRunning).indexOf(false)).toBe(looks.length - 1);
  });

  it('has no items before its Map has begun', async () => {
    const { end, looks } = watch();

    await end;
    expect(looks.slice(0, 4).map(({ items, mapRunArn }) => [items, mapRunArn])).toStrictEqual([
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
      [{ total: 2_000, done: 0, failed: 0 }, MAP_RUN],
    ]);
  });

  it('asks at most twice a second, and less often the longer it takes', async () => {
    const { end, asked, timing } = watch();

    await end;
    expect(timing.sleeps.slice(0, 31)).toStrictEqual([...Array<number>(30).fill(1_000), 2_000]);
    expect(asked.length).toBeLessThanOrEqual(2 * timing.sleeps.length + 3);
    // A Map Run that is known is not listed, and one that has ended is not asked about.
    expect(asked.filter((operation) => operation === 'ListMapRuns')).toHaveLength(4);
    expect(asked.at(-1)).toBe('DescribeExecution');
  });

  it('looks every five seconds at an execution that takes for ever', async () => {
    const { end, timing } = watch((at) => ({
      DescribeExecution: () => ({ status: at.now() < 3_600 * SECOND ? 'RUNNING' : 'ABORTED' }),
    }));

    expect((await end).status).toBe('ABORTED');
    expect(timing.sleeps.at(-1)).toBe(5_000);
    expect(Math.max(...timing.sleeps)).toBe(5_000);
  });

  it('counts what failed, timed out or was aborted as done, and apart', async () => {
    const itemCounts = { total: 10, pending: 2, running: 1, succeeded: 1, failed: 1 };
    const { end, looks } = watch(() => ({
      DescribeExecution: () => ({ status: 'FAILED' }),
      ListMapRuns: () => ({ mapRuns: [{ mapRunArn: MAP_RUN }] }),
      DescribeMapRun: () => ({
        status: 'FAILED',
        itemCounts: { ...itemCounts, aborted: 3, timedOut: 2 },
      }),
    }));

    await end;
    expect(looks).toStrictEqual([
      { isRunning: false, mapRunArn: MAP_RUN, items: { total: 10, done: 7, failed: 6 } },
    ]);
  });

  it('does not go back when AWS answers with what was true before', async () => {
    const counts = [3, 9, 5, 10];
    const { end, looks } = watch(() => ({
      DescribeExecution: () => ({ status: counts.length > 1 ? 'RUNNING' : 'SUCCEEDED' }),
      ListMapRuns: () => ({ mapRuns: [{ mapRunArn: MAP_RUN }] }),
      DescribeMapRun: () => ({
        status: 'RUNNING',
        itemCounts: { total: 10, succeeded: counts.shift() },
      }),
    }));

    await end;
    expect(looks.map(({ items }) => items?.done)).toStrictEqual([3, 9, 9, 10]);
  });

  it('goes on through throttling and a network that is cut, and tells of them', async () => {
    let asked = 0;
    let cuts = 3;
    const { end, troubles, looks } = watch((timing) => {
      const calm = workflow(timing);
      return {
        DescribeExecution: (input) => {
          asked++;
          if (asked > 5 && asked <= 11) throw failing('ThrottlingException');
          return calm['DescribeExecution']?.(input);
        },
        DescribeMapRun: (input) => {
          if (asked > 14 && cuts-- > 0) throw failing('Error', { code: 'ENOTFOUND' });
          return calm['DescribeMapRun']?.(input);
        },
      };
    });

    expect((await end).status).toBe('SUCCEEDED');
    expect(troubles).toStrictEqual([
      'AWS asks for a slower pace: looking less often',
      'AWS answers again',
      'The connection to AWS is lost: trying again for 5 min',
      'AWS answers again',
    ]);
    expect(looks.at(-1)?.items).toStrictEqual({ total: 2_000, done: 2_000, failed: 0 });
  });

  it.each(['ExpiredTokenException', 'AccessDeniedException'])('ends with %s', async (name) => {
    const { end, troubles } = watch(() => ({
      DescribeMapRun: () => {
        throw failing(name);
      },
    }));

    expect((await rejection(end)).name).toBe(name);
    expect(troubles).toStrictEqual([]);
  });

  it('ends when the network stays away', async () => {
    const { end, timing } = watch(() => ({
      DescribeExecution: () => {
        throw failing('Error', { code: 'ECONNREFUSED' });
      },
    }));

    expect(await rejection(end)).toMatchObject({ code: 'ECONNREFUSED' });
    expect(timing.now()).toBeGreaterThanOrEqual(300 * SECOND);
    expect(timing.now()).toBeLessThan(400 * SECOND);
  });

  it('ends when it is asked to, with the look that is under way', async () => {
    const left = new AbortController();
    const looks: Look[] = [];
    const { end } = watch(() => ({}), {
      signal: left.signal,
      onLook: (look) => {
        looks.push(look);
        if (looks.length === 3) left.abort();
      },
    });

    expect((await rejection(end)).name).toBe('AbortError');
    expect(looks).toHaveLength(3);
  });
});

describe('an execution that AWS does not find', () => {
  it('is waited for when it was just started', async () => {
    const { end, looks } = watch(
      (timing) => ({
        DescribeExecution: () => (timing.now() < 5 * SECOND ? notThere() : { status: 'SUCCEEDED' }),
        ListMapRuns: () => ({ mapRuns: [] }),
      }),
      { justStarted: true },
    );

    expect((await end).status).toBe('SUCCEEDED');
    expect(looks.map(({ isRunning }) => isRunning)).toStrictEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it('is not waited for long', async () => {
    const { end, timing } = watch(() => ({ DescribeExecution: notThere }), { justStarted: true });

    expect((await rejection(end)).name).toBe('ExecutionDoesNotExist');
    expect(timing.now()).toBe(30 * SECOND);
  });

  it('is an error at once when it was not', async () => {
    const { end, timing } = watch(() => ({ DescribeExecution: notThere }));

    expect((await rejection(end)).name).toBe('ExecutionDoesNotExist');
    expect(timing.now()).toBe(0);
  });
});

const POLICY = { firstWaitMs: 1_000, longestWaitMs: 5_000, giveUpAfterMs: 60_000 };

const CUT = failing('Error', { code: 'ECONNRESET' });
const THROTTLED = failing('ThrottlingException');
const BROKEN = failing('InternalFailure', {
  $fault: 'server',
  $metadata: { httpStatusCode: 500 },
});

/** Asks what fails with these errors, one after the other, and then answers. */
function ask(errors: readonly Error[], signal?: AbortSignal) {
  const timing = new VirtualTiming();
  const lines: string[] = [];
  const left = [...errors];
  const question = (): Promise<string> => {
    const error = left.shift();
    return error === undefined ? Promise.resolve('answer') : Promise.reject(error);
  };
  const answer = askAws(question, {
    policy: POLICY,
    timing,
    onTrouble: (line) => lines.push(line),
    ...(signal === undefined ? {} : { signal }),
  });
  return { answer, lines, timing, left };
}

describe('asking AWS', () => {
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
    ["can't be reached", CUT],
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
