import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { allSettled, iterateSettled, mapSettled } from './settled_map.ts';

/** Work of some turns of the event loop, which fails for one item; it keeps what was begun and what has ended. */
class Work {
  readonly begun: number[] = [];
  readonly ended: number[] = [];
  most = 0;
  readonly #failing: number;

  constructor(failing = -1) {
    this.#failing = failing;
  }

  readonly perform = async (item: number): Promise<string> => {
    this.begun.push(item);
    this.most = Math.max(this.most, this.begun.length - this.ended.length);
    // The one that fails is the fastest.
    for (let turn = 0; turn < (item === this.#failing ? 1 : 5); turn++) await nextTurn();
    this.ended.push(item);
    if (item === this.#failing) throw new RangeError(`item ${item}`);
    return `done ${item}`;
  };
}

const SIXTY = Array.from({ length: 60 }, (_, at) => at);

describe('work on many items', () => {
  it('is done some at a time, and its results are in the items’ order', async () => {
    const work = new Work();

    const results = await mapSettled(SIXTY, work.perform, { atOnce: 7 });

    expect(results).toStrictEqual(SIXTY.map((item) => `done ${item}`));
    expect(work.most).toBe(7);
  });

  it('that fails at one has ended everywhere when it throws, and begins nothing more', async () => {
    const work = new Work(29);

    const error = await rejection(mapSettled(SIXTY, work.perform, { atOnce: 25 }));
    const begun = work.begun.length;

    expect(error.message).toBe('item 29');
    expect(work.ended.toSorted()).toStrictEqual(work.begun.toSorted());
    expect(begun).toBeLessThan(60);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(work.begun).toHaveLength(begun);
  });

  it('that is no longer asked for has ended when its reader goes on', async () => {
    const work = new Work();

    for await (const result of iterateSettled(SIXTY, work.perform, { atOnce: 25 })) {
      if (result === 'done 3') break;
    }

    expect(work.ended.toSorted()).toStrictEqual(work.begun.toSorted());
  });

  it('ends when reading the items fails', async () => {
    const work = new Work();
    async function* items() {
      yield 1;
      yield await Promise.resolve(2);
      throw new RangeError('no more');
    }

    const all = async () => {
      const results: string[] = [];
      for await (const result of iterateSettled(items(), work.perform, { atOnce: 3 }))
        results.push(result);
    };

    expect((await rejection(all())).message).toBe('no more');
    expect(work.ended).toStrictEqual([1, 2]);
  });

  it('that was begun together is waited for altogether', async () => {
    const work = new Work(1);

    const error = await rejection(allSettled([work.perform(0), work.perform(1), work.perform(2)]));

    expect(error.message).toBe('item 1');
    expect(work.ended).toStrictEqual([1, 0, 2]);
  });
});
