import type { BatchEnd, BatchOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import {
  type BatchSummary,
  type BatchType,
  batchTypeSchema,
  UNKNOWN_ID,
} from 'receipt-embedding/entities/batch';
import { toTimestamp } from 'receipt-embedding/entities/keys';
import type { BatchChanges } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { executionNameSchema } from '../runtime/execution_input.ts';
import { bringToOpenai, type BringToOpenaiPorts } from './bring_to_openai.ts';

export const submitBatchInputSchema = z.strictObject({
  batch_id: z.uuid(),
  batch_type: batchTypeSchema,
  execution_name: executionNameSchema,
});

export type SubmitBatchInput = z.output<typeof submitBatchInputSchema>;

interface Submission {
  readonly batch_id: string;
  readonly batch_type: BatchType;
}

export type SubmitBatchOutput =
  | (Submission & {
      readonly status: 'submitted';
      readonly openai_batch_id: string;
      /** Lines or words that OpenAI is asked for. */
      readonly requested: number;
      /** It had been created by an earlier try, whose answer was lost. */
      readonly adopted: boolean;
    })
  /** Nothing is submitted: another execution does it, or has claimed all that is in it. */
  | (Submission & { readonly status: 'dropped'; readonly reason: string })
  /** OpenAI does not take it; all that it had claimed is given back. */
  | (Submission & {
      readonly status: 'refused';
      readonly error: string;
      readonly cause: string;
      readonly released: number;
    });

/** Everything that one submission does outside; each step may be repeated. */
export interface SubmitBatchPorts extends BringToOpenaiPorts {
  /** Records a new batch, claimed. @returns false when there is one of this id already. */
  readonly create: (batch: BatchSummary) => Promise<boolean>;
  /** @returns the batch; undefined when it has ended, or is another execution's. */
  readonly claim: () => Promise<BatchSummary | undefined>;
  readonly read: () => Promise<BatchSummary | undefined>;
  /** @throws ConcurrentUpdate when the claim is lost. */
  readonly update: (changes: BatchChanges, options?: { readonly endClaim: true }) => Promise<void>;
  /** Claims the lines or words of the plan, and writes the requests for those that it got. @returns their number. */
  readonly claimEntities: () => Promise<number>;
  /** Gives everything back, and ends the batch. */
  readonly end: (batch: BatchSummary, end: BatchEnd) => Promise<BatchOutcome>;
  readonly model: { readonly model: string; readonly dimensions: number };
}

/**
 * Submits a planned batch (docs/architecture.md). The record comes first, so that whatever is claimed can be found; each step
 * leaves a mark on it, so that a retry goes on where an earlier try died. Before a batch is created at OpenAI it is
 * looked for there, if an earlier try may have created it: nothing is paid for twice.
 *
 * @throws the layer's errors; what it has claimed stays claimed until a retry, or a poll after 15 minutes, takes it up.
 */
export async function submitBatch(
  { batch_id, batch_type, execution_name }: SubmitBatchInput,
  ports: SubmitBatchPorts,
): Promise<SubmitBatchOutput> {
  const submission: Submission = { batch_id, batch_type };
  const batch = await begin(submission, execution_name, ports);
  if (batch === undefined) {
    return alreadySubmitted(submission, await ports.read(), execution_name);
  }
  if (batch.status !== 'SUBMITTING') {
    await ports.update({}, { endClaim: true });
    return alreadySubmitted(submission, batch, execution_name);
  }

  if (batch.refusal !== undefined) return await giveBack(batch, ports);
  const requested = batch.requested ?? (await ports.claimEntities());
  if (requested === 0) {
    const reason = 'all that is in it was claimed or embedded elsewhere';
    await ports.update(
      { status: 'CANCELLED', requested, succeeded: 0, failed: 0, released: 0, reason },
      { endClaim: true },
    );
    return { ...submission, status: 'dropped', reason };
  }
  if (batch.requested === undefined) await ports.update({ requested });
  const brought = await bringToOpenai(batch, ports);
  if ('refusal' in brought) {
    const { name: refusal, message: reason } = brought.refusal;
    // On record first: once anything is given back, nothing of it may be asked for any more.
    await ports.update({ refusal, reason });
    return await giveBack({ ...batch, requested, refusal, reason }, ports);
  }
  await ports.update(
    { status: 'PENDING', openai_batch_id: brought.openai_batch_id },
    { endClaim: true },
  );
  return { ...submission, status: 'submitted', requested, ...brought };
}

/** @returns the batch, claimed; undefined when it is not ours to submit. */
async function begin(
  { batch_id, batch_type }: Submission,
  execution: string,
  { create, claim, update, clock, model }: SubmitBatchPorts,
): Promise<BatchSummary | undefined> {
  const fresh: BatchSummary = {
    batch_id,
    batch_type,
    status: 'SUBMITTING',
    submitted_by: execution,
    submitted_at: toTimestamp(clock()),
    openai_batch_id: UNKNOWN_ID,
    result_file_id: UNKNOWN_ID,
    // A large batch's list would not fit an item: it is in S3.
    receipt_refs: [],
    ...model,
  };
  if (await create(fresh)) return fresh;
  const batch = await claim();
  if (batch?.status !== 'SUBMITTING' || batch.submitted_by === execution) return batch;
  // Taken over from an execution that died; a retry of this one is to know it as its own.
  await update({ submitted_by: execution });
  return { ...batch, submitted_by: execution };
}

async function giveBack(
  batch: BatchSummary,
  { end }: SubmitBatchPorts,
): Promise<SubmitBatchOutput> {
  const { reason = null } = batch;
  const { released } = await end(batch, { status: 'FAILED', reason, prompt_tokens: 0 });
  return refused({ ...batch, released });
}

function refused(batch: BatchSummary): SubmitBatchOutput {
  const { batch_id, batch_type, refusal = '', reason = '', released = 0 } = batch;
  return { batch_id, batch_type, status: 'refused', error: refusal, cause: reason, released };
}

/** An earlier try of this execution's was done but for its answer; or the submission is somebody else's. */
function alreadySubmitted(
  submission: Submission,
  batch: BatchSummary | undefined,
  execution: string,
): SubmitBatchOutput {
  const elsewhere = 'another execution submits or has submitted it';
  if (batch?.submitted_by !== execution) {
    return { ...submission, status: 'dropped', reason: elsewhere };
  }
  const { openai_batch_id, requested = 0, reason = elsewhere } = batch;
  if (openai_batch_id !== UNKNOWN_ID) {
    return { ...submission, status: 'submitted', openai_batch_id, requested, adopted: true };
  }
  return batch.refusal === undefined
    ? { ...submission, status: 'dropped', reason }
    : refused(batch);
}
