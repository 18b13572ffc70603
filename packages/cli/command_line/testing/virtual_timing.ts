import type { Timing } from '../timing.ts';

/** A clock that only moves when somebody sleeps, and then at once; and what was slept, milliseconds. */
export class VirtualTiming implements Timing {
  readonly sleeps: number[] = [];
  #now = 0;

  readonly now = (): number => this.#now;

  readonly sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    this.sleeps.push(milliseconds);
    this.#now += milliseconds;
    await Promise.resolve();
    signal?.throwIfAborted();
  };
}
