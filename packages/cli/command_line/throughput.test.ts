import { describe, expect, it } from 'vitest';
import { Throughput } from './throughput.ts';

function seen(...looks: readonly (readonly [seconds: number, done: number])[]): Throughput {
  const throughput = new Throughput(60_000);
  for (const [seconds, done] of looks) throughput.add(1_000 * seconds, done);
  return throughput;
}

describe('throughput', () => {
  it.each([
    ['nothing was seen', []],
    ['there was one look', [[0, 5]]],
    ['nothing got done', [[0, 5] as const, [10, 5] as const]],
    ['no time has passed', [[0, 5] as const, [0, 9] as const]],
  ] as const)('is not known when %s', (_, looks) => {
    const throughput = seen(...looks);

    expect([throughput.perSecond, throughput.secondsUntil(10)]).toStrictEqual([
      undefined,
      undefined,
    ]);
  });

  it('says how fast it goes, and how long it takes', () => {
    const throughput = seen([0, 0], [5, 10], [10, 40]);

    expect([throughput.perSecond, throughput.secondsUntil(100)]).toStrictEqual([4, 15]);
  });

  it('counts from the first look on, however much was done by then', () => {
    expect(seen([0, 1_000], [10, 1_010]).secondsUntil(1_020)).toBe(10);
  });

  it('forgets what was longer ago than its window', () => {
    // 100 a second for a minute, then 1 a second for two.
    const looks = Array.from({ length: 181 }, (_, second) => {
      const fast = Math.min(second, 60);
      return [second, 100 * fast + (second - fast)] as const;
    });

    expect(seen(...looks).perSecond).toBe(1);
  });

  it('is known with looks that are further apart than its window', () => {
    expect(seen([0, 0], [100, 50], [200, 250]).perSecond).toBe(2);
  });
});
