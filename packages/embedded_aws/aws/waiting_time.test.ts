import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WaitingTime } from './waiting_time.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const wait = (milliseconds: number) => () =>
  new Promise<undefined>((resolve) => {
    setTimeout(() => {
      resolve(undefined);
    }, milliseconds);
  });

/** `caller` asks at `from`, and is answered at `to`. */
async function ask(
  waiting: WaitingTime,
  requests: readonly (readonly [caller: string, from: number, to: number])[],
): Promise<number> {
  const all = requests.map(async ([caller, from, to]) => {
    await wait(from)();
    await waiting.during(caller, wait(to - from));
  });
  await vi.runAllTimersAsync();
  await Promise.all(all);
  return waiting.milliseconds;
}

describe('the time that callers wait', () => {
  it('is none at first', () => {
    expect(new WaitingTime().milliseconds).toBe(0);
  });

  it('adds up over requests one after the other', async () => {
    const requests = [
      ['a', 0, 10],
      ['a', 30, 35],
    ] as const;
    expect(await ask(new WaitingTime(), requests)).toBe(15);
  });

  it('counts a caller once while several of its requests are under way', async () => {
    const requests = [
      ['a', 0, 10],
      ['a', 5, 30],
      ['a', 6, 8],
    ] as const;
    expect(await ask(new WaitingTime(), requests)).toBe(30);
  });

  it('counts each caller for itself', async () => {
    const requests = [
      ['a', 0, 10],
      ['b', 5, 30],
    ] as const;
    expect(await ask(new WaitingTime(), requests)).toBe(35);
  });

  it('counts a request that fails too, and gives its error', async () => {
    const waiting = new WaitingTime();
    const failing = waiting.during('a', async () => {
      await wait(10)();
      throw new Error('no');
    });
    const failed = expect(failing).rejects.toThrow('no');
    await vi.runAllTimersAsync();
    await failed;
    expect(waiting.milliseconds).toBe(10);
    expect(await ask(waiting, [['a', 0, 5]])).toBe(15);
  });

  it('gives the result of the work', async () => {
    expect(await new WaitingTime().during('a', () => Promise.resolve('done'))).toBe('done');
  });
});
