import { maxHistoryEvents } from './limits.ts';

/** One event, its data as JSON text where AWS gives text. */
export interface RecordedEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly at: Date;
  readonly type: string;
  readonly details: EventDetails | undefined;
}

export type EventDetails = Readonly<Record<string, string | number | undefined>>;

/** What an execution did, numbered from 1. */
export class History {
  readonly #events: RecordedEvent[] = [];
  #closed = false;
  #overflow: () => void = () => undefined;

  get events(): readonly RecordedEvent[] {
    return this.#events;
  }

  get lastId(): number {
    return this.#events.length;
  }

  /** @param overflow is called when only the last event is left, which has to end the execution. */
  onOverflow(overflow: () => void): void {
    this.#overflow = overflow;
  }

  /** @returns the id of the event; once the execution has ended nothing is added. */
  add(type: string, previousEventId: number, at: Date, details?: EventDetails): number {
    if (this.#closed) return previousEventId;
    if (this.#events.length === maxHistoryEvents - 1) {
      this.#overflow();
      return previousEventId;
    }
    return this.#push(type, previousEventId, at, details);
  }

  /** Adds the event that ends the execution. */
  close(type: string, at: Date, details?: EventDetails): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#push(type, this.lastId, at, details);
  }

  #push(type: string, previousEventId: number, at: Date, details?: EventDetails): number {
    const id = this.#events.length + 1;
    this.#events.push({ id, previousEventId, at, type, details });
    return id;
  }
}
