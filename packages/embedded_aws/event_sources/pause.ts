import type { Time } from '../aws/time.ts';

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
