import { type ReceiptIdentity, receiptIdentitySchema } from 'receipt-embedding/entities/keys';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import { embeddingCost } from 'receipt-embedding/prices';
import { z } from 'zod';
import { type FailureDescription, Failures } from '../runtime/failures.ts';
import { type ResultLocation, resultLocationSchema } from '../runtime/map_results.ts';
import type { Outcome } from './receipt_outcomes.ts';

export const summarizeRunInputSchema = z.object({
  total_receipts: z.int().min(1),
  last_evaluated_key: receiptIdentitySchema.nullable(),
  invalid_rows: z.int().min(0),
  results: resultLocationSchema,
});

export type SummarizeRunInput = z.output<typeof summarizeRunInputSchema>;

export type Failure = ReceiptIdentity & FailureDescription;

/** The execution's output. total = succeeded + reused + skipped + failed. */
export interface RunSummary {
  readonly total: number;
  /** Embedded now. */
  readonly succeeded: number;
  /** Embedded before with the same content; nothing was written. */
  readonly reused: number;
  /** With nothing to embed. */
  readonly skipped: number;
  readonly failed: number;
  /** 0..100. */
  readonly failed_percentage: number;
  /** The first 20 of them. */
  readonly failures: readonly Failure[];
  /** All of them, by the name of their error. */
  readonly failures_by_reason: Readonly<Record<string, number>>;
  readonly lines: number;
  readonly words: number;
  readonly vectors: number;
  readonly openai_requests: number;
  readonly prompt_tokens: number;
  /** At OpenAI's list price; null for a model that the price list does not have. */
  readonly estimated_cost_usd: number | null;
  readonly invalid_rows: number;
  readonly last_evaluated_key: ReceiptIdentity | null;
  /** The manifest of all results, one by one. */
  readonly results: { readonly bucket: string; readonly key: string };
}

/**
 * Adds up what became of the receipts of a run.
 *
 * @throws InvalidReceiptData when there are not as many results as receipts.
 */
export async function summarizeRun(
  input: SummarizeRunInput,
  readOutcomes: (location: ResultLocation) => AsyncIterable<Outcome>,
  model: string,
): Promise<RunSummary> {
  const count = { succeeded: 0, reused: 0, skipped: 0, failed: 0 };
  const sum = { lines: 0, words: 0, vectors: 0, openai_requests: 0, prompt_tokens: 0 };
  let invalidRows = input.invalid_rows;
  const failures = new Failures<ReceiptIdentity>();
  for await (const outcome of readOutcomes(input.results)) {
    if (outcome.status === 'error') {
      count.failed++;
      failures.add({ image_id: outcome.image_id, receipt_id: outcome.receipt_id }, outcome);
      continue;
    }
    sum.lines += outcome.lines_count;
    sum.words += outcome.words_count;
    invalidRows += outcome.invalid_rows;
    if (outcome.status === 'skipped') {
      count.skipped++;
      continue;
    }
    count[outcome.reused ? 'reused' : 'succeeded']++;
    sum.vectors += outcome.vectors;
    sum.openai_requests += outcome.openai_requests;
    sum.prompt_tokens += outcome.prompt_tokens;
  }
  const total = count.succeeded + count.reused + count.skipped + count.failed;
  if (total !== input.total_receipts) {
    throw new InvalidReceiptData(
      `${input.total_receipts} receipts were to be processed, but there are results of ${total}`,
    );
  }
  return {
    total,
    ...count,
    failed_percentage: (100 * count.failed) / total,
    failures: failures.shown,
    failures_by_reason: failures.byReason,
    ...sum,
    estimated_cost_usd: embeddingCost(model, sum.prompt_tokens, 'realtime'),
    invalid_rows: invalidRows,
    last_evaluated_key: input.last_evaluated_key,
    results: { bucket: input.results.Bucket, key: input.results.Key },
  };
}
