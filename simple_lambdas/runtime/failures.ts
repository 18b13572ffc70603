import { z } from 'zod';

/** With so many failures a summary stays under 16 KB, half of what the cause of a failed execution may hold. */
const FAILURES_SHOWN = 20;
const CAUSE_CHARACTERS = 300;

export interface FailureDescription {
  /** The error's name. */
  readonly error: string;
  /** What happened, at most 300 characters of it. */
  readonly cause: string;
}

export function describeFailure({ error, cause }: FailureDescription): FailureDescription {
  return { error, cause: errorMessage(cause).slice(0, CAUSE_CHARACTERS) };
}

/** What a caught error says: a failed function's cause is JSON with the message in it; a timeout's is plain text. */
export function errorMessage(cause: string): string {
  try {
    const parsed = z.object({ errorMessage: z.string() }).safeParse(JSON.parse(cause));
    return parsed.success ? parsed.data.errorMessage : cause;
  } catch {
    return cause;
  }
}

/** Names of errors that are counted each for itself; a summary, and the metrics made of it, have no more. */
const REASONS_COUNTED = 12;
const OTHER_REASONS = 'Other';

/** What failed, added up and with examples. */
export class Failures<Item extends object> {
  /** The first 20. */
  readonly shown: (Item & FailureDescription)[] = [];
  readonly #counts = new Map<string, number>();

  /** How many failed, by the name of their error; beyond 12 names, together as `Other`. */
  get byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  add(item: Item, failure: FailureDescription): void {
    if (this.shown.length < FAILURES_SHOWN)
      this.shown.push({ ...item, ...describeFailure(failure) });
    const { error } = failure;
    const counted = this.#counts.has(error) || this.#counts.size < REASONS_COUNTED;
    const reason = counted ? error : OTHER_REASONS;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }
}
