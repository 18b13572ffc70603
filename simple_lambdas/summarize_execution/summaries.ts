import { type ReceiptIdentity, receiptIdentitySchema } from 'receipt-embedding/entities/keys';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { embeddingCost } from 'receipt-embedding/prices';
import { z } from 'zod';
import { Failures } from '../runtime/failures.ts';
import { manifestOf, type ResultLocation, resultLocationSchema } from '../runtime/map_results.ts';
import { INESCAPABLE } from './declaration.ts';
import {
  failureFields,
  type PollSummary,
  type RealtimeSummary,
  refusalSchema,
  type SubmitSummary,
} from './summary_schemas.ts';

const fields = {
  invalid_rows: z.int().min(0),
  results: resultLocationSchema,
  /** Needed where the results of a Map that failed are to be found. */
  execution_name: z.string().optional(),
};
const batchFields = { ...fields, total_batches: z.int().min(1), more: z.boolean() };

/** What each workflow knows of its execution when its Map is done. */
const inputSchemas = {
  realtime: z.object({
    workflow: z.literal('realtime'),
    total_receipts: z.int().min(1),
    last_evaluated_key: receiptIdentitySchema.nullable(),
    ...fields,
  }),
  batch_submit: z.object({
    workflow: z.literal('batch_submit'),
    planned: z.int().min(0),
    receipts: z.int().min(0),
    ...batchFields,
  }),
  batch_poll: z.object({ workflow: z.literal('batch_poll'), ...batchFields }),
};

export const summarizeInputSchema = z.discriminatedUnion('workflow', [
  inputSchemas.realtime,
  inputSchemas.batch_submit,
  inputSchemas.batch_poll,
]);

type Workflow = keyof typeof inputSchemas;
type Input<Of extends Workflow> = Omit<z.output<(typeof inputSchemas)[Of]>, 'workflow'>;

/** Reads what became of each item of a Map. */
type ReadOutcomes<Outcome> = (location: ResultLocation) => AsyncIterable<Outcome>;

interface BatchIdentity {
  readonly batch_id: string;
}

/** An item of a Map that ended early. */
const notTried = z.object({ status: z.literal('not_tried') });

/** With so many a summary stays as small as with as many failures. */
const REFUSALS_SHOWN = 20;

const readCounts = { lines_count: z.int(), words_count: z.int(), invalid_rows: z.int() };

/** An output of the realtime Map: the answer of `process_receipt_realtime`, or what was caught of it. */
export const receiptOutcomeSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    ...readCounts,
    reused: z.boolean(),
    vectors: z.int(),
    openai_requests: z.int(),
    prompt_tokens: z.int(),
    refused: z.int(),
    refusals: z.array(refusalSchema),
  }),
  z.object({ status: z.literal('skipped'), ...readCounts }),
  notTried,
  z.object({ status: z.literal('error'), ...receiptIdentitySchema.shape, ...failureFields }),
]);

export type ReceiptOutcome = z.output<typeof receiptOutcomeSchema>;

/** @throws InvalidReceiptData when there are not as many results as receipts. */
export async function summarizeRealtime(
  input: Input<'realtime'>,
  readOutcomes: ReadOutcomes<ReceiptOutcome>,
  model: string,
): Promise<RealtimeSummary> {
  const count = { succeeded: 0, reused: 0, skipped: 0 };
  const sum = { lines: 0, words: 0, vectors: 0, openai_requests: 0, prompt_tokens: 0, refused: 0 };
  const refusals: z.output<typeof refusalSchema>[] = [];
  let invalidRows = input.invalid_rows;
  const failures = new Failures<ReceiptIdentity>('process_receipt_realtime');
  const location = manifestOf(
    input.results,
    EXECUTION_FILES.realtime.results(input.execution_name ?? ''),
  );
  let untried = 0;
  for await (const outcome of readOutcomes(location)) {
    if (outcome.status === 'not_tried') {
      untried++;
      continue;
    }
    if (outcome.status === 'error') {
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
    sum.refused += outcome.refused;
    refusals.push(...outcome.refusals.slice(0, REFUSALS_SHOWN - refusals.length));
  }
  return {
    ...addUp(count, failures, untried, input.total_receipts, 'receipts were to be processed'),
    ...sum,
    refusals,
    estimated_cost_usd: embeddingCost(model, sum.prompt_tokens, 'realtime'),
    invalid_rows: invalidRows,
    last_evaluated_key: input.last_evaluated_key,
    results: { bucket: location.Bucket, key: location.Key },
  };
}

const batchId = { batch_id: z.string() };
const failedBatch = { ...batchId, ...failureFields };

/** An output of the submit Map: the answer of `submit_batch`, or what was caught of it. */
export const submissionSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('submitted'), ...batchId, requested: z.int() }),
  z.object({ status: z.literal('dropped'), ...batchId }),
  notTried,
  z.object({ status: z.literal('refused'), ...failedBatch }),
  z.object({ status: z.literal('error'), ...failedBatch }),
]);

export type SubmissionOutcome = z.output<typeof submissionSchema>;

/**
 * Failed batches were refused by OpenAI, or not brought to an end; a later poll releases their claims.
 *
 * @throws InvalidReceiptData when there are not as many results as batches.
 */
export async function summarizeSubmit(
  {
    total_batches,
    planned,
    receipts,
    more,
    invalid_rows,
    results,
    execution_name,
  }: Input<'batch_submit'>,
  readOutcomes: ReadOutcomes<SubmissionOutcome>,
): Promise<SubmitSummary> {
  const count = { submitted: 0, dropped: 0 };
  let requested = 0;
  let untried = 0;
  const location = manifestOf(results, EXECUTION_FILES.batch_submit.results(execution_name ?? ''));
  const failures = new Failures<BatchIdentity>('submit_batch');
  for await (const outcome of readOutcomes(location)) {
    if (outcome.status === 'submitted') requested += outcome.requested;
    if (outcome.status === 'not_tried') untried++;
    else if (outcome.status === 'submitted' || outcome.status === 'dropped') {
      count[outcome.status]++;
    } else failures.add({ batch_id: outcome.batch_id }, outcome);
  }
  return {
    ...addUp(count, failures, untried, total_batches, 'batches were to be submitted'),
    planned,
    receipts,
    more,
    invalid_rows,
    requested,
    results: { bucket: location.Bucket, key: location.Key },
  };
}

/** An output of the poll Map. */
export const polledBatchSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('running'), ...batchId }),
  notTried,
  z.object({
    status: z.literal('complete'),
    ...batchId,
    requested: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    released: z.int(),
    prompt_tokens: z.int(),
  }),
  z.object({ status: z.literal('error'), ...failedBatch }),
]);

export type PolledBatch = z.output<typeof polledBatchSchema>;

/**
 * Failed batches could not be finished; a later execution tries again.
 *
 * @throws InvalidReceiptData when there are not as many results as batches.
 */
export async function summarizePoll(
  { total_batches, more, invalid_rows, results, execution_name }: Input<'batch_poll'>,
  readOutcomes: ReadOutcomes<PolledBatch>,
  model: string,
): Promise<PollSummary> {
  const count = { completed: 0, running: 0 };
  let untried = 0;
  const location = manifestOf(results, EXECUTION_FILES.batch_poll.results(execution_name ?? ''));
  const sum = { requested: 0, succeeded: 0, rows_failed: 0, released: 0, prompt_tokens: 0 };
  const failures = new Failures<BatchIdentity>();
  for await (const outcome of readOutcomes(location)) {
    if (outcome.status === 'not_tried') {
      untried++;
    } else if (outcome.status === 'running') {
      count.running++;
    } else if (outcome.status === 'complete') {
      count.completed++;
      sum.requested += outcome.requested;
      sum.succeeded += outcome.succeeded;
      sum.rows_failed += outcome.failed;
      sum.released += outcome.released;
      sum.prompt_tokens += outcome.prompt_tokens;
    } else {
      failures.add({ batch_id: outcome.batch_id }, outcome);
    }
  }
  return {
    ...addUp(count, failures, untried, total_batches, 'batches were to be polled'),
    ...sum,
    estimated_cost_usd: embeddingCost(model, sum.prompt_tokens, 'batch'),
    more,
    invalid_rows,
    results: { bucket: location.Bucket, key: location.Key },
  };
}

/** The counts with their total, which must be the expected one, and the failures. */
function addUp<Counts extends Readonly<Record<string, number>>, Item extends object>(
  counts: Counts,
  failures: Failures<Item>,
  untried: number,
  expected: number,
  plan: string,
) {
  const failed = failures.count;
  const total = Object.values(counts).reduce((sum, count) => sum + count, failed + untried);
  if (total !== expected) {
    throw new InvalidReceiptData(`${expected} ${plan}, but there are results of ${total}`);
  }
  return {
    total,
    ...counts,
    failed,
    not_tried: untried,
    stopped: untried === 0 ? null : whyStopped(failures, untried),
    failed_percentage: (100 * failed) / total,
    failures: failures.shown,
    failures_by_reason: failures.byReason,
  };
}

function whyStopped<Item extends object>(failures: Failures<Item>, untried: number): string {
  const reason =
    failures.shown.find(({ error }) => INESCAPABLE.includes(error)) ?? failures.shown[0];
  const why = reason === undefined ? 'too many failed' : `${reason.error}: ${reason.cause}`;
  return `ended early, ${untried} were not tried, since none could have succeeded: ${why}`;
}
