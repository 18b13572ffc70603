interface TimedEvent {
  readonly time: number;
  /** Events of the same time happen in the order in which they were asked for. */
  readonly order: number;
  readonly work: () => void;
}

/**
 * A time that jumps from event to event: hours of it take seconds, and nothing sleeps. The same events in the same order give the same
 * result.
 */
export class SimulatedClock {
  /** A heap: the next event is the first. */
  readonly #events: TimedEvent[] = [];
  #order = 0;
  #now = 0;
  #woken = false;
  #failures: unknown[] = [];

  /** Seconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** @param time from now on. */
  at(time: number, work: () => void): void {
    const event = { time: Math.max(time, this.#now), order: this.#order++, work };
    let at = this.#events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(this.#event(parent), event)) break;
      this.#events[at] = this.#event(parent);
      at = parent;
    }
    this.#events[at] = event;
  }

  async sleep(seconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.at(this.#now + seconds, () => {
        this.#woken = true;
        resolve();
      });
    });
  }

  /** Begins what may sleep. What it throws ends `run`. */
  begin(work: () => Promise<void>): void {
    this.#woken = true;
    work().catch((error: unknown) => this.#failures.push(error));
  }

  /** Lets everything happen until nothing is left to happen. @throws what the work that was begun throws. */
  async run(): Promise<void> {
    for (;;) {
      // What was woken goes on as far as its next sleep.
      if (this.#woken) await new Promise(setImmediate);
      this.#woken = false;
      if (this.#failures.length > 0) throw this.#failures[0];
      const next = this.#next();
      if (next === undefined) return;
      this.#now = next.time;
      next.work();
    }
  }

  #next(): TimedEvent | undefined {
    const first = this.#events[0];
    const last = this.#events.pop();
    if (first === undefined || last === undefined || this.#events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#events.length) break;
      const other = child + 1;
      if (other < this.#events.length && isBefore(this.#event(other), this.#event(child))) {
        child = other;
      }
      if (isBefore(last, this.#event(child))) break;
      this.#events[at] = this.#event(child);
      at = child;
    }
    this.#events[at] = last;
    return first;
  }

  #event(at: number): TimedEvent {
    const event = this.#events[at];
    if (event === undefined) throw new Error(`there is no event ${at}`);
    return event;
  }
}

function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
