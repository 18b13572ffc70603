import { setImmediate as turn } from 'node:timers/promises';
import type { Time } from '../aws/time.ts';

/** Time that passes by hand. */
export class SteeredTime implements Time {
  #now = Date.parse('2026-05-01T00:00:00Z');
  readonly #timers = new Map<() => void, number>();

  readonly clock = (): Date => new Date(this.#now);

  readonly after: Time['after'] = (milliseconds, action) => {
    const timer = (): void => {
      action();
    };
    this.#timers.set(timer, this.#now + milliseconds);
    return () => this.#timers.delete(timer);
  };

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and all happen that it lets happen. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await turn();
    for (;;) {
      const [next] = [...this.#timers].sort(([, a], [, b]) => a - b);
      if (next === undefined || next[1] > end) break;
      this.#now = Math.max(this.#now, next[1]);
      this.#timers.delete(next[0]);
      next[0]();
      await turn();
    }
    this.#now = end;
  }
}
