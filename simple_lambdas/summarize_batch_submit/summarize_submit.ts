import { InvalidReceiptData } from 'receipt-embedding/errors';
import { z } from 'zod';
import { type FailureDescription, Failures } from '../runtime/failures.ts';
import { type ResultLocation, resultLocationSchema } from '../runtime/map_results.ts';

export const summarizeSubmitInputSchema = z.object({
  total_batches: z.int().min(1),
  planned: z.int().min(0),
  receipts: z.int().min(0),
  more: z.boolean(),
  invalid_rows: z.int().min(0),
  results: resultLocationSchema,
});

export type SummarizeSubmitInput = z.output<typeof summarizeSubmitInputSchema>;

const batchId = { batch_id: z.string() };

/** An output of the item processor: what `submit_batch` answered, or what was caught of it. */
export const submissionSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('submitted'), ...batchId, requested: z.int() }),
  z.object({ status: z.literal('dropped'), ...batchId }),
  z.object({ status: z.literal('refused'), ...batchId, error: z.string(), cause: z.string() }),
  z.object({ status: z.literal('error'), ...batchId, error: z.string(), cause: z.string() }),
]);

export type SubmissionOutcome = z.output<typeof submissionSchema>;

/** The execution's output. total = submitted + dropped + failed. */
export interface SubmitSummary {
  readonly total: number;
  readonly submitted: number;
  /** Another execution has them, or all that was in them. */
  readonly dropped: number;
  /** Refused by OpenAI, or not brought to an end; a later poll gives back what those had claimed. */
  readonly failed: number;
  /** 0..100. */
  readonly failed_percentage: number;
  /** The first 20 of them. */
  readonly failures: readonly (FailureDescription & { readonly batch_id: string })[];
  /** All of them, by the name of their error. */
  readonly failures_by_reason: Readonly<Record<string, number>>;
  /** Lines and words in the plan. */
  readonly planned: number;
  /** Lines and words in the batches that were submitted. */
  readonly requested: number;
  /** Receipts in the plan. */
  readonly receipts: number;
  /** Whether anything was left out of the plan, for a later execution. */
  readonly more: boolean;
  readonly invalid_rows: number;
  /** The manifest of all results, one by one. */
  readonly results: { readonly bucket: string; readonly key: string };
}

/**
 * Adds up what became of the batches of a plan.
 *
 * @throws InvalidReceiptData when there are not as many results as batches.
 */
export async function summarizeSubmit(
  { total_batches, results, ...plan }: SummarizeSubmitInput,
  readOutcomes: (location: ResultLocation) => AsyncIterable<SubmissionOutcome>,
): Promise<SubmitSummary> {
  const count = { submitted: 0, dropped: 0, failed: 0 };
  let requested = 0;
  const failures = new Failures<{ readonly batch_id: string }>();
  for await (const outcome of readOutcomes(results)) {
    if (outcome.status === 'submitted') {
      count.submitted++;
      requested += outcome.requested;
    } else if (outcome.status === 'dropped') {
      count.dropped++;
    } else {
      count.failed++;
      failures.add({ batch_id: outcome.batch_id }, outcome);
    }
  }
  const total = count.submitted + count.dropped + count.failed;
  if (total !== total_batches) {
    throw new InvalidReceiptData(
      `${total_batches} batches were to be submitted, but there are results of ${total}`,
    );
  }
  return {
    total,
    ...count,
    failed_percentage: (100 * count.failed) / total,
    failures: failures.shown,
    failures_by_reason: failures.byReason,
    ...plan,
    requested,
    results: { bucket: results.Bucket, key: results.Key },
  };
}
