import { receiptIdentitySchema } from 'receipt-embedding/entities/keys';
import { z } from 'zod';

/** The error's name, and what happened. */
export const failureFields = { error: z.string(), cause: z.string() };

/** A line or word, and why it is FAILED. */
export const refusalSchema = z.object({ id: z.string(), reason: z.string() });

/** What every execution's output has. `total` counts each item once: those that failed, and the others by their outcome. */
const common = {
  total: z.int(),
  failed: z.int(),
  /** Not begun, or stopped under way, because what others failed with no other can escape. */
  not_tried: z.int(),
  /** Why it ended early, in words; null when it did not. */
  stopped: z.string().nullable(),
  /** 0..100. */
  failed_percentage: z.number(),
  /** All that failed, by the name of their error. */
  failures_by_reason: z.record(z.string(), z.int()),
  /** Rows that could not be read, and were skipped and logged. */
  invalid_rows: z.int(),
  /** The manifest of all results, one by one; none where there was nothing to do. */
  results: z.object({ bucket: z.string(), key: z.string() }).optional(),
};

/** The output of an execution of the realtime workflow. total = succeeded + reused + skipped + failed + not_tried. */
export const realtimeSummarySchema = z.object({
  ...common,
  /** The first 20 of them. */
  failures: z.array(z.object({ ...receiptIdentitySchema.shape, ...failureFields })).readonly(),
  /** Embedded now. */
  succeeded: z.int(),
  /** Embedded before with the same content; nothing was written. */
  reused: z.int(),
  /** With nothing to embed. */
  skipped: z.int(),
  lines: z.int(),
  words: z.int(),
  vectors: z.int(),
  openai_requests: z.int(),
  prompt_tokens: z.int(),
  /** Lines and words whose input OpenAI refused now: they alone are FAILED, in receipts that succeeded. */
  refused: z.int(),
  /** The first 20 of them, by their keys. */
  refusals: z.array(refusalSchema).readonly(),
  /** At OpenAI's list price; null for a model that the price list does not have. */
  estimated_cost_usd: z.number().nullable(),
  last_evaluated_key: receiptIdentitySchema.nullable(),
});

const failedBatches = z.array(z.object({ batch_id: z.string(), ...failureFields })).readonly();

/** The output of an execution of the submit workflow. total = submitted + dropped + failed + not_tried. */
export const submitSummarySchema = z.object({
  ...common,
  /** The first 20 of them. */
  failures: failedBatches,
  submitted: z.int(),
  /** Another execution has them, or everything that was in them. */
  dropped: z.int(),
  /** Lines and words in the plan. */
  planned: z.int(),
  /** Lines and words in the batches that were submitted. */
  requested: z.int(),
  /** Receipts in the plan. */
  receipts: z.int(),
  /** Whether anything was left out of the plan, for a later execution. */
  more: z.boolean(),
});

/**
 * The output of an execution of the poll workflow. total = completed + running + failed;
 * requested = succeeded + rows_failed + released.
 */
export const pollSummarySchema = z.object({
  ...common,
  /** The first 20 of them. */
  failures: failedBatches,
  /** Batches that have ended now, whatever came of their rows. */
  completed: z.int(),
  /** Batches that OpenAI works on, or another execution. */
  running: z.int(),
  /** Lines and words of the batches that have ended now. */
  requested: z.int(),
  succeeded: z.int(),
  /** Their input was refused. */
  rows_failed: z.int(),
  /** Returned to NONE, to be done again. */
  released: z.int(),
  prompt_tokens: z.int(),
  /** At OpenAI's list price for batches; null for a model that the price list does not have. */
  estimated_cost_usd: z.number().nullable(),
  /** Whether there are batches that this execution did not look after. */
  more: z.boolean(),
});

export type RealtimeSummary = z.output<typeof realtimeSummarySchema>;
export type SubmitSummary = z.output<typeof submitSummarySchema>;
export type PollSummary = z.output<typeof pollSummarySchema>;
