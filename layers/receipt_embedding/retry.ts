import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimited } from './errors.ts';

/** How long to wait before another try. */
export interface Backoff {
  readonly random: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

export const systemBackoff: Backoff = { random: Math.random, sleep };

const FIRST_MS = 50;
const CAP_MS = 5_000;

/**
 * Waits a random time of up to 50 ms · 2^attempt, at most 5 s: exponential backoff with full jitter, so that
 * many writers that were throttled together don't come back together.
 */
export async function backOff({ random, sleep }: Backoff, attempt: number): Promise<void> {
  await sleep(random() * Math.min(CAP_MS, FIRST_MS * 2 ** attempt));
}

/** With full jitter and a cap of 5 s, about 20 seconds of waiting on average. */
export const PATIENT_ATTEMPTS = 12;

/**
 * Does `work` again, with backoff, as long as DynamoDB throttles it: for writes by the ten thousand, all of which change the
 * same few keys of an index.
 *
 * @throws RateLimited when the 12th try is throttled too; whatever else `work` throws, at once.
 */
export async function whileThrottled<Result>(
  work: () => Promise<Result>,
  backoff: Backoff = systemBackoff,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RateLimited) || attempt === PATIENT_ATTEMPTS) throw error;
    }
    await backOff(backoff, attempt);
  }
}
