import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { every, type SchedulerPorts, SchedulerStandIn } from './scheduler_stand_in.ts';

/** A stand-in whose time passes by hand. */
function steered(startExecution: SchedulerPorts['startExecution']) {
  const running = new Map<() => void, number>();
  const failures: [string, unknown][] = [];
  const scheduler = new SchedulerStandIn({
    startExecution,
    every: (milliseconds, action) => {
      running.set(action, milliseconds);
      return () => running.delete(action);
    },
    onFailure: (name, error) => failures.push([name, error]),
  });
  return { scheduler, running, failures };
}

const schedule = (expression: string) => ({
  name: 'poll',
  expression,
  stateMachineArn: 'arn:machine',
  roleArn: 'arn:role',
  input: '{}',
});

describe('a schedule', () => {
  it.each([
    ['rate(1 minute)', 60_000],
    ['rate(15 minutes)', 900_000],
    ['rate(2 hours)', 7_200_000],
    ['rate(1 day)', 86_400_000],
  ])(
    '%s starts its state machine under its role every %d milliseconds',
    (expression, milliseconds) => {
      const started = vi.fn<SchedulerPorts['startExecution']>(() => Promise.resolve());
      const { scheduler, running } = steered(started);

      scheduler.createSchedule(schedule(expression));

      expect([...running.values()]).toStrictEqual([milliseconds]);
      expect(started.mock.calls).toStrictEqual([]);
      for (const action of [...running.keys(), ...running.keys()]) action();
      expect(started.mock.calls).toStrictEqual([
        ['arn:role', 'arn:machine', '{}'],
        ['arn:role', 'arn:machine', '{}'],
      ]);
    },
  );

  it('goes on after a start that failed, and says so', async () => {
    const { scheduler, running, failures } = steered(() => Promise.reject(new Error('no machine')));
    scheduler.createSchedule(schedule('rate(1 minute)'));

    for (const action of running.keys()) action();

    await vi.waitFor(() => {
      expect(failures).toStrictEqual([['poll', new Error('no machine')]]);
    });
    expect(running.size).toBe(1);
  });

  it.each(['cron(0 3 * * ? *)', 'rate(0 minutes)', 'rate(1 week)', 'at(2030-01-01T00:00:00)'])(
    'that does not run here is refused by name: %s',
    (expression) => {
      const { scheduler, running } = steered(() => Promise.resolve());
      expect(() => {
        scheduler.createSchedule(schedule(expression));
      }).toThrow(
        new Error(`the schedule poll is ${expression}, but the embedded AWS runs rate(…) alone`),
      );
      expect(running.size).toBe(0);
    },
  );

  it('ends with the stand-in, as all of them do', () => {
    const { scheduler, running } = steered(() => Promise.resolve());
    scheduler.createSchedule(schedule('rate(1 minute)'));
    scheduler.createSchedule(schedule('rate(2 minutes)'));

    scheduler.close();

    expect(running.size).toBe(0);
  });
});

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('passes again and again, until it is stopped', () => {
    const passed = vi.fn();
    const stop = every(60_000, passed);
    vi.advanceTimersByTime(59_999);
    expect(passed).toHaveBeenCalledTimes(0);
    vi.advanceTimersByTime(60_001);
    expect(passed).toHaveBeenCalledTimes(2);

    stop();

    vi.advanceTimersByTime(600_000);
    expect(passed).toHaveBeenCalledTimes(2);
  });

  it('that is longer than a timer can wait is not none at all', () => {
    const timers = vi.spyOn(globalThis, 'setInterval');
    const stop = every(2 ** 31, () => undefined);
    expect(timers).not.toHaveBeenCalled();
    stop();
    every(2 ** 31 - 1, () => undefined)();
    expect(timers).toHaveBeenCalledTimes(1);
  });
});
