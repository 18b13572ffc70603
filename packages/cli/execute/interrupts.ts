/** What may come while an execution is watched: Ctrl-C; or a signal to end, or nobody left to read what is printed. */
export type Interrupt = 'ask' | 'leave';

/** Ctrl-C and its like, one after the other: each is there until it is taken. */
export class Interrupts {
  readonly #signals: NodeJS.EventEmitter;
  readonly #outputs: readonly NodeJS.EventEmitter[];
  #next = Promise.withResolvers<Interrupt>();

  /** @param outputs what is printed to; `npm run execute | head` closes it before the end. */
  constructor(signals: NodeJS.EventEmitter, outputs: readonly NodeJS.EventEmitter[]) {
    this.#signals = signals;
    this.#outputs = outputs;
    signals.on('SIGINT', this.#ask);
    signals.on('SIGTERM', this.#leave);
    for (const output of outputs) output.on('error', this.#leave);
  }

  /** The next one that was not taken; asked again before it came, the same one. */
  get next(): Promise<Interrupt> {
    return this.#next.promise;
  }

  taken(): void {
    this.#next = Promise.withResolvers<Interrupt>();
  }

  close(): void {
    this.#signals.off('SIGINT', this.#ask);
    this.#signals.off('SIGTERM', this.#leave);
    for (const output of this.#outputs) output.off('error', this.#leave);
  }

  readonly #ask = (): void => {
    this.#next.resolve('ask');
  };

  readonly #leave = (): void => {
    this.#next.resolve('leave');
  };
}
