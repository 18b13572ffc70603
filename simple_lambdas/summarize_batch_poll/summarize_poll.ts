import { InvalidReceiptData } from 'receipt-embedding/errors';
import { embeddingCost } from 'receipt-embedding/prices';
import { z } from 'zod';
import { type FailureDescription, Failures } from '../runtime/failures.ts';
import { type ResultLocation, resultLocationSchema } from '../runtime/map_results.ts';

export const summarizePollInputSchema = z.object({
  total_batches: z.int().min(1),
  more: z.boolean(),
  invalid_rows: z.int().min(0),
  results: resultLocationSchema,
});

export type SummarizePollInput = z.output<typeof summarizePollInputSchema>;

/** An output of the item processor. */
export const polledBatchSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('running'), batch_id: z.string() }),
  z.object({
    status: z.literal('complete'),
    batch_id: z.string(),
    requested: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    released: z.int(),
    prompt_tokens: z.int(),
  }),
  z.object({
    status: z.literal('error'),
    batch_id: z.string(),
    error: z.string(),
    cause: z.string(),
  }),
]);

export type PolledBatch = z.output<typeof polledBatchSchema>;

/** The execution's output. total = completed + running + failed; requested = succeeded + rows_failed + released. */
export interface PollSummary {
  readonly total: number;
  /** Batches that have ended now, whatever came of their rows. */
  readonly completed: number;
  /** Batches that OpenAI is at work on, or another execution. */
  readonly running: number;
  /** Batches that could not be finished; a later execution tries again. */
  readonly failed: number;
  /** 0..100. */
  readonly failed_percentage: number;
  /** The first 20 of them. */
  readonly failures: readonly (FailureDescription & { readonly batch_id: string })[];
  /** All of them, by the name of their error. */
  readonly failures_by_reason: Readonly<Record<string, number>>;
  /** Lines and words of the batches that have ended now. */
  readonly requested: number;
  readonly succeeded: number;
  /** Their input was refused. */
  readonly rows_failed: number;
  /** Given back, to be done again. */
  readonly released: number;
  readonly prompt_tokens: number;
  /** At OpenAI's list price for batches; null for a model that the price list does not have. */
  readonly estimated_cost_usd: number | null;
  /** Whether there are batches that this execution did not look after. */
  readonly more: boolean;
  readonly invalid_rows: number;
  /** The manifest of all results, one by one. */
  readonly results: { readonly bucket: string; readonly key: string };
}

/**
 * Adds up what became of the batches of a poll.
 *
 * @throws InvalidReceiptData when there are not as many results as batches.
 */
export async function summarizePoll(
  { total_batches, more, invalid_rows, results }: SummarizePollInput,
  readOutcomes: (location: ResultLocation) => AsyncIterable<PolledBatch>,
  model: string,
): Promise<PollSummary> {
  const count = { completed: 0, running: 0, failed: 0 };
  const sum = { requested: 0, succeeded: 0, rows_failed: 0, released: 0, prompt_tokens: 0 };
  const failures = new Failures<{ readonly batch_id: string }>();
  for await (const outcome of readOutcomes(results)) {
    if (outcome.status === 'running') {
      count.running++;
    } else if (outcome.status === 'complete') {
      count.completed++;
      sum.requested += outcome.requested;
      sum.succeeded += outcome.succeeded;
      sum.rows_failed += outcome.failed;
      sum.released += outcome.released;
      sum.prompt_tokens += outcome.prompt_tokens;
    } else {
      count.failed++;
      failures.add({ batch_id: outcome.batch_id }, outcome);
    }
  }
  const total = count.completed + count.running + count.failed;
  if (total !== total_batches) {
    throw new InvalidReceiptData(
      `${total_batches} batches were to be polled, but there are results of ${total}`,
    );
  }
  return {
    total,
    ...count,
    failed_percentage: (100 * count.failed) / total,
    failures: failures.shown,
    failures_by_reason: failures.byReason,
    ...sum,
    estimated_cost_usd: embeddingCost(model, sum.prompt_tokens, 'batch'),
    more,
    invalid_rows,
    results: { bucket: results.Bucket, key: results.Key },
  };
}
