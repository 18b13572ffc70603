/** Time as queues and event source mappings know it. */
export interface Time {
  readonly clock: () => Date;
  /** Does something once, so many milliseconds later, unless what it gives is called before. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
}

/** A timer of Node's that is to wait longer than this many milliseconds does not wait at all. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** Node's clock and timers, which keep no process alive. What is more than 24 days away comes after 24 days. */
export const REAL_TIME: Time = {
  clock: () => new Date(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, Math.min(milliseconds, LONGEST_WAIT)).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Waits that can be ended from outside: by what is waited for, or because nothing is waited for any more. */
export class Pause {
  readonly #after: Time['after'];
  #end: (() => void) | undefined;

  constructor(after: Time['after']) {
    this.#after = after;
  }

  /** Resolves after so many milliseconds, or when it is ended. One wait at a time. */
  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const stopTimer = this.#after(milliseconds, () => this.#end?.());
      this.#end = () => {
        this.#end = undefined;
        stopTimer();
        resolve();
      };
    });
  }

  /** Ends the wait, if there is one. */
  end(): void {
    this.#end?.();
  }
}
