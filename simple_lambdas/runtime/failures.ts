import { parseJson } from 'receipt-embedding/local_files';
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

/**
 * A caught error, in words.
 *
 * @param step what failed, where that is known: the subject of a sentence.
 * @example
 * describeFailure({ error: 'RateLimited', cause: '{"errorType":"RateLimited","errorMessage":"slow down"}' })
 * // { error: 'RateLimited', cause: 'slow down' }
 * describeFailure({ error: 'States.Timeout', cause: '' }, 'submit_batch')
 * // { error: 'States.Timeout', cause: 'submit_batch did not answer within its time limit (States.Timeout)' }
 */
export function describeFailure(
  failure: FailureDescription,
  step = 'the function',
): FailureDescription {
  const { error, cause } = originalFailure(failure);
  const message =
    error === 'States.Timeout' && cause === ''
      ? `${step} did not answer within its time limit (${error})`
      : errorMessage(cause);
  return { error, cause: message.slice(0, CAUSE_CHARACTERS) };
}

/** Names of Fail states that end for an error which they caught, and have it as JSON in their cause. */
const PASSED_ON = new Set(['PartFailed', 'RunFailed', 'NoItemCanSucceed']);
const passedOnSchema = z.object({ Error: z.string(), Cause: z.string() });

/**
 * The error that a Fail state passes on; any other failure is returned as it is.
 *
 * @example
 * originalFailure({ error: 'PartFailed', cause: '{"Error":"RateLimited","Cause":"slow down"}' })
 * // { error: 'RateLimited', cause: 'slow down' }
 */
export function originalFailure(failure: FailureDescription): FailureDescription {
  if (!PASSED_ON.has(failure.error)) return failure;
  const parsed = passedOnSchema.safeParse(parseJson(failure.cause));
  if (!parsed.success) return failure;
  return originalFailure({ error: parsed.data.Error, cause: parsed.data.Cause });
}

/** What a caught error says: a failed function's cause is JSON with the message in it; other causes are plain text. */
export function errorMessage(cause: string): string {
  const parsed = z.object({ errorMessage: z.string() }).safeParse(parseJson(cause));
  return parsed.success ? parsed.data.errorMessage : cause;
}

/** Names of errors that are counted separately; neither a summary nor the metrics made of it have more. */
const REASONS_COUNTED = 12;
const OTHER_REASONS = 'Other';

/** What failed, added up and with examples. */
export class Failures<Item extends object> {
  /** The first 20. */
  readonly shown: (Item & FailureDescription)[] = [];
  readonly #step: string;
  readonly #counts = new Map<string, number>();

  /** @param step what failed, as for describeFailure. */
  constructor(step?: string) {
    this.#step = step ?? 'the function';
  }

  /** How many failed, by the name of their error; beyond 12 names, together as `Other`. */
  get byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** How many failed. */
  get count(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  add(item: Item, failure: FailureDescription): void {
    const described = describeFailure(failure, this.#step);
    if (this.shown.length < FAILURES_SHOWN) this.shown.push({ ...item, ...described });
    const { error } = described;
    const counted = this.#counts.has(error) || this.#counts.size < REASONS_COUNTED;
    const reason = counted ? error : OTHER_REASONS;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }
}
