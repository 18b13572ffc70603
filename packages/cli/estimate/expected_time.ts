import type { Assumptions } from './assumptions.ts';
import { batchSeconds, type BatchWork } from './batch_path.ts';
import { type RealtimeWork, receiptSeconds, runSeconds } from './realtime_path.ts';

/** How long something may take, seconds. */
export interface TimeRange {
  readonly low: number;
  readonly high: number;
}

const NO_TIME: TimeRange = { low: 0, high: 0 };

/** Receipts at a time, each for as long as assumed, but no faster than OpenAI answers an account; or twice as long. */
export function realtimeTime(
  work: RealtimeWork,
  maxConcurrency: number,
  assumptions: Assumptions,
): TimeRange {
  if (work.receipts === 0) return NO_TIME;
  const run = runSeconds(work);
  const atATime = Math.min(maxConcurrency, work.receipts);
  const low =
    run.find +
    run.summarize +
    Math.max(
      receiptSeconds(work) / atATime,
      (60 * work.prompt_tokens) / assumptions.openai_tokens_per_minute,
      (60 * work.openai_requests) / assumptions.openai_requests_per_minute,
    );
  return { low, high: assumptions.slowest * low };
}

/** Submitting, what OpenAI takes for a batch, and ingesting; batches beside each other, whoever does them. */
export function batchTime(
  work: BatchWork,
  maxConcurrency: number,
  { batch_seconds, slowest }: Assumptions,
): TimeRange {
  if (work.batches === 0) return NO_TIME;
  const { before, after } = batchSeconds(work);
  const functions = (before + after) / Math.min(maxConcurrency, work.batches);
  return {
    low: batch_seconds.low + functions,
    high: batch_seconds.high + slowest * functions,
  };
}
