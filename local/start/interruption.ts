/** Ctrl-C and a polite kill, as a promise: so that whatever was started is ended before the program is. */
export interface Interruption {
  /** What `orResult` rejects with. */
  readonly reason: Error;
  /** Resolves when the program is asked to stop. */
  readonly wait: () => Promise<void>;
  /** The result of the work, or a rejection as soon as the program is asked to stop. */
  readonly orResult: <Result>(work: Promise<Result>) => Promise<Result>;
}

export function interruption(): Interruption {
  const reason = new Error('interrupted');
  const { promise, resolve } = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      resolve(undefined);
    });
  }
  return {
    reason,
    wait: async () => {
      await promise;
    },
    orResult: async (work) => {
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
