import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { RateLimited } from './errors.ts';
import { whileThrottled } from './retry.ts';

/** Work that is throttled so many times before it is done; and how long it would have waited in between. */
async function throttled(times: number, error: Error = new RateLimited('slow down')) {
  const waits: number[] = [];
  let tries = 0;
  const work = (): Promise<string> => {
    tries++;
    return tries > times ? Promise.resolve('done') : Promise.reject(error);
  };
  const sleep = (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  const result = await whileThrottled(work, { random: () => 1, sleep }).catch(
    (thrown: unknown) => thrown,
  );
  return { result, tries, waits };
}

describe('work that DynamoDB throttles', () => {
  it('is done at once where it is not', async () => {
    expect(await throttled(0)).toStrictEqual({ result: 'done', tries: 1, waits: [] });
  });

  it('is done again, after longer and longer waits', async () => {
    expect(await throttled(3)).toStrictEqual({ result: 'done', tries: 4, waits: [100, 200, 400] });
  });

  it('is given up after the 12th try, and not before', async () => {
    const error = new RateLimited('slow down');

    expect((await throttled(11)).result).toBe('done');
    const { result, tries, waits } = await throttled(12, error);
    expect([result, tries, waits.length]).toStrictEqual([error, 12, 11]);
  });

  it('is not done again when it fails otherwise', async () => {
    const error = new Error('denied');

    expect(await throttled(1, error)).toStrictEqual({ result: error, tries: 1, waits: [] });
  });

  it('waits a random part of the time', async () => {
    const waits: number[] = [];
    const sleep = (milliseconds: number): Promise<void> => {
      waits.push(milliseconds);
      return Promise.resolve();
    };
    const work = (): Promise<never> => Promise.reject(new RateLimited('slow down'));

    await rejection(whileThrottled(work, { random: () => 0.25, sleep }));

    expect(waits.slice(0, 2)).toStrictEqual([25, 50]);
    expect(waits.at(-1)).toBe(1_250);
  });
});
