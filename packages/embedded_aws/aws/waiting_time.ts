/**
 * How long callers waited for answers. A caller with several requests under way waits once: what is added up is the time
 * in which it had at least one.
 */
export class WaitingTime {
  readonly #callers = new Map<string, { pending: number; since: number }>();
  #milliseconds = 0;

  get milliseconds(): number {
    return this.#milliseconds;
  }

  async during<Result>(caller: string, work: () => Promise<Result>): Promise<Result> {
    const state = this.#callers.get(caller) ?? { pending: 0, since: 0 };
    this.#callers.set(caller, state);
    if (state.pending === 0) state.since = performance.now();
    state.pending++;
    try {
      return await work();
    } finally {
      state.pending--;
      if (state.pending === 0) {
        this.#milliseconds += performance.now() - state.since;
        this.#callers.delete(caller);
      }
    }
  }
}
