import type { Call } from './call.ts';

/** A call that was made, by whom, and how often. */
export interface RecordedCall extends Call {
  readonly role: string;
  readonly count: number;
}

/** Distinct calls that are kept: a run of a million receipts writes as many objects, each under a key of its own. */
const MOST = 20_000;

/** The distinct calls that roles have made, those that were denied included. */
export class CallRecord {
  readonly #calls = new Map<string, { -readonly [Key in keyof RecordedCall]: RecordedCall[Key] }>();
  #left = 0;

  add(role: string, call: Call): void {
    const key = JSON.stringify([role, call.action, call.resource, call.context]);
    const known = this.#calls.get(key);
    if (known !== undefined) known.count++;
    else if (this.#calls.size < MOST) this.#calls.set(key, { ...call, role, count: 1 });
    else this.#left++;
  }

  get calls(): readonly RecordedCall[] {
    return [...this.#calls.values()];
  }

  /** How many calls are not kept, because there were too many distinct ones. */
  get left(): number {
    return this.#left;
  }
}
