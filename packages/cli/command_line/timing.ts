import { setTimeout as after } from 'node:timers/promises';

/** A clock and a way to wait. */
export interface Timing {
  /** Milliseconds since some moment, never going back. */
  readonly now: () => number;
  /** Rejects as soon as the signal is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export const systemTiming: Timing = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) =>
    after(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

/** As the system's, but no wait keeps the program from ending. */
export const backgroundTiming: Timing = {
  now: systemTiming.now,
  sleep: (milliseconds, signal) =>
    after(milliseconds, undefined, signal === undefined ? { ref: false } : { ref: false, signal }),
};
