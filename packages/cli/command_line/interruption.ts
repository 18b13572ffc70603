/**
 * Ctrl-C, a polite kill, or nobody left to read what the program prints, as a promise: so that whatever was started is
 * ended before the program is.
 */
export interface Interruption {
  /** What `orResult` rejects with. */
  readonly reason: Error;
  /** Resolves when the program is asked to stop. */
  readonly wait: () => Promise<void>;
  /** The result of the work, or a rejection as soon as the program is asked to stop; then it is not even begun. */
  readonly orResult: <Result>(begin: () => Promise<Result>) => Promise<Result>;
}

/** @param out what the program prints to; `npm start | head` closes it before the end. */
export function interruption(
  signals: NodeJS.EventEmitter = process,
  out: NodeJS.EventEmitter = process.stdout,
): Interruption {
  const reason = new Error('interrupted');
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    resolve(undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.once(signal, stop);
  // Every line that is still printed is an error of its own.
  out.on('error', stop);
  return {
    reason,
    wait: async () => {
      await promise;
    },
    orResult: async (begin) => {
      if (stopped) throw reason;
      const work = begin();
      // The work goes on until what it uses is closed under it; nobody hears of that any more.
      work.catch(() => undefined);
      return await Promise.race([
        work,
        promise.then(() => {
          throw reason;
        }),
      ]);
    },
  };
}
