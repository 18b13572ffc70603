import { setTimeout as sleep } from 'node:timers/promises';

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
