import type { PineconeOperation } from './faults.ts';

/** An upsert request as it came in. */
export interface LoggedUpsert {
  readonly namespace: string | undefined;
  /** How many records it has. */
  readonly ids: number;
  /** Of its body. */
  readonly bytes: number;
  /** The status that was answered; `pending` until then, and for as long as a fault lets it hang. */
  readonly status: number | 'pending' | 'cut';
}

/** What was upserted: requests that took effect, and the records in them, whether their answer arrived or not. */
export interface Usage {
  readonly requests: number;
  readonly vectors: number;
}

/** The latest 10,000 upserts, and the sum of all. */
export class UpsertLog {
  readonly #entries: LoggedUpsert[] = [];
  #usage: Usage = { requests: 0, vectors: 0 };

  get upserts(): readonly LoggedUpsert[] {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** @returns sets the request's status, once it is known. */
  open(
    { namespace, ids }: PineconeOperation,
    bytes: number,
  ): (status: LoggedUpsert['status']) => void {
    const entry = {
      namespace,
      ids: ids.length,
      bytes,
      status: 'pending' as LoggedUpsert['status'],
    };
    this.#entries.push(entry);
    if (this.#entries.length > 10_000) this.#entries.shift();
    return (status) => {
      entry.status = status;
    };
  }

  tookEffect(vectors: number): void {
    const { requests, vectors: before } = this.#usage;
    this.#usage = { requests: requests + 1, vectors: before + vectors };
  }
}
