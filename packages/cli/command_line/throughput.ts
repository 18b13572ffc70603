/** How fast things get done, of late: a work's pace changes, and its beginning says little about its end. */
export class Throughput {
  readonly #windowMs: number;
  readonly #seen: { readonly at: number; readonly done: number }[] = [];

  /** @param windowMs how far back it looks, milliseconds. */
  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  /** @param at milliseconds, never going back. */
  add(at: number, done: number): void {
    this.#seen.push({ at, done });
    // The last one before the window stays: it is where the window's own work began.
    while ((this.#seen[1]?.at ?? at) < at - this.#windowMs) this.#seen.shift();
  }

  /** Undefined until something got done in the window. */
  get perSecond(): number | undefined {
    const first = this.#seen[0];
    const last = this.#seen.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const [done, milliseconds] = [last.done - first.done, last.at - first.at];
    return done > 0 && milliseconds > 0 ? (1_000 * done) / milliseconds : undefined;
  }

  /** Seconds until so many are done, at this pace; undefined when it is not known. */
  secondsUntil(total: number): number | undefined {
    const { perSecond } = this;
    const done = this.#seen.at(-1)?.done;
    if (perSecond === undefined || done === undefined) return undefined;
    return (total - done) / perSecond;
  }
}
