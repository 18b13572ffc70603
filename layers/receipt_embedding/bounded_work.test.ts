import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { workOn, workOnStream } from './bounded_work.ts';

/** Work on 0 to 59 that fails at 30, and what had begun and ended when it was given up. */
class Observed {
  readonly begun: number[] = [];
  readonly ended: number[] = [];

  readonly work = async (item: number): Promise<number> => {
    this.begun.push(item);
    // The one that fails is the first of its neighbours to end.
    for (let turns = item === 30 ? 1 : 5; turns > 0; turns--) await turn();
    this.ended.push(item);
    if (item === 30) throw new Error('throttled');
    return 2 * item;
  };
}

const ITEMS = Array.from({ length: 60 }, (_, item) => item);

async function* stream(): AsyncGenerator<number> {
  for (const item of ITEMS) {
    await turn();
    yield item;
  }
}

async function all(results: AsyncIterable<number>): Promise<number[]> {
  const taken: number[] = [];
  for await (const result of results) taken.push(result);
  return taken;
}

describe('work on many items', () => {
  it('gives the results in the order of the items', async () => {
    const even = async (item: number): Promise<number> => await Promise.resolve(2 * item);

    expect(await workOn([3, 1, 2], even, 2)).toStrictEqual([6, 2, 4]);
    const streamed = workOnStream(stream(), even, { concurrency: 5, backpressure: 10 });
    expect(await all(streamed)).toStrictEqual(ITEMS.map((item) => 2 * item));
  });

  it('begins nothing more once one has failed, and waits for what is under way', async () => {
    const seen = new Observed();

    const { message } = await rejection(workOn(ITEMS, seen.work, 25));
    const begun = [...seen.begun];

    expect(message).toBe('throttled');
    expect(begun.length).toBeLessThan(60);
    expect(seen.ended.toSorted((a, b) => a - b)).toStrictEqual(begun);
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(seen.begun).toStrictEqual(begun);
  });

  it('does the same for items that come one after the other', async () => {
    const seen = new Observed();
    const streamed = workOnStream(stream(), seen.work, { concurrency: 25, backpressure: 50 });

    const { message } = await rejection(all(streamed));
    const begun = [...seen.begun];

    expect(message).toBe('throttled');
    expect(seen.ended.toSorted((a, b) => a - b)).toStrictEqual(begun);
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(seen.begun).toStrictEqual(begun);
  });
});
