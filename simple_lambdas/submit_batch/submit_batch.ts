import type { BatchEnd, BatchOutcome } from 'receipt-embedding/batches/mark_batch_complete';
import { blamesFile, SETTLING_MS } from 'receipt-embedding/batches/openai_batches';
import {
  type BatchSummary,
  type BatchType,
  batchTypeSchema,
  UNKNOWN_ID,
} from 'receipt-embedding/entities/batch';
import { epochMilliseconds, toTimestamp } from 'receipt-embedding/entities/keys';
import {
  ConcurrentUpdate,
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
} from 'receipt-embedding/errors';
import type { Clock } from 'receipt-embedding/ports';
import type { BatchChanges, BatchUpdateOptions } from 'receipt-embedding/table/batch_summaries';
import { z } from 'zod';
import { batchWorkFields } from '../runtime/batches.ts';

export const submitBatchInputSchema = z.strictObject({
  ...batchWorkFields,
  batch_type: batchTypeSchema,
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
  /** OpenAI does not take it; its lines and words are returned to NONE. */
  | (Submission & {
      readonly status: 'refused';
      readonly error: string;
      readonly cause: string;
      readonly released: number;
    });

/** Everything that one submission does outside; each step may be repeated. */
export interface SubmitBatchPorts extends BringToOpenaiPorts {
  /** Records a new batch, leased. @returns false when one of this id exists already. */
  readonly create: (batch: BatchSummary) => Promise<boolean>;
  /** @returns the batch; undefined when it has ended, or somebody else works on it: another invocation of this execution too. */
  readonly claim: () => Promise<BatchSummary | undefined>;
  readonly read: () => Promise<BatchSummary | undefined>;
  /** @throws ConcurrentUpdate when the lease is lost. */
  readonly update: (changes: BatchChanges, options?: BatchUpdateOptions) => Promise<void>;
  /** Claims the lines or words of the plan, and writes the requests for those that it got. @returns their number. */
  readonly claimEntities: () => Promise<number>;
  /** Releases the batch's claims, and ends it. */
  readonly end: (batch: BatchSummary, end: BatchEnd) => Promise<BatchOutcome>;
  readonly model: { readonly model: string; readonly dimensions: number };
}

/** The owner of a submission's lease: one invocation, since two of one execution would create two batches. */
export function submissionOwner(executionId: string, requestId: string): string {
  return `${executionId}/${requestId}`;
}

function isInvocationOf(executionId: string, owner: string | undefined): boolean {
  return owner?.startsWith(`${executionId}/`) ?? false;
}

/**
 * Submits a planned batch (docs/architecture.md). The record comes first, so that whatever is claimed can be found; each step
 * leaves a mark on it, so that a retry goes on where an earlier try died. Before a batch is created at OpenAI it is
 * looked for there, if an earlier try may have created it: nothing is paid for twice.
 *
 * @throws the layer's errors, the lease given up; what it has claimed stays claimed until a retry, or a poll after 15 minutes, takes
 * it up. ConcurrentUpdate while an earlier invocation of this execution, whose answer was lost, may still be at work: the state
 * machine tries again until that has ended, or its lease has.
 */
export async function submitBatch(
  { batch_id, batch_type, execution_id }: SubmitBatchInput,
  ports: SubmitBatchPorts,
): Promise<SubmitBatchOutput> {
  const submission: Submission = { batch_id, batch_type };
  try {
    return await submitOwned(submission, execution_id, ports);
  } catch (error) {
    // The next invocation need not wait for the lease to expire. Where this fails too, it does.
    await ports.update({}, { endLease: true }).catch(() => undefined);
    throw error;
  }
}

async function submitOwned(
  submission: Submission,
  executionId: string,
  ports: SubmitBatchPorts,
): Promise<SubmitBatchOutput> {
  const batch = await begin(submission, executionId, ports);
  if (batch === undefined) {
    const held = await ports.read();
    if (held?.status === 'SUBMITTING' && isInvocationOf(executionId, held.claimed_by)) {
      throw new ConcurrentUpdate(
        `an earlier invocation of this execution may still be submitting batch ${submission.batch_id}`,
      );
    }
    return alreadySubmitted(submission, held, executionId);
  }
  if (batch.status === 'SUBMITTING') return await submitLeased(submission, batch, ports);
  await ports.update({}, { endLease: true });
  return alreadySubmitted(submission, batch, executionId);
}

async function submitLeased(
  submission: Submission,
  batch: BatchSummary,
  ports: SubmitBatchPorts,
): Promise<SubmitBatchOutput> {
  if (batch.refusal !== undefined) return await refuse(batch, ports);
  const requested = batch.requested ?? (await ports.claimEntities());
  if (requested === 0) {
    const reason = 'all that is in it was claimed or embedded elsewhere';
    // What an earlier try had claimed, and somebody has edited since, is the batch's all the same.
    await ports.end(batch, { status: 'CANCELLED', reason, prompt_tokens: 0 });
    return { ...submission, status: 'dropped', reason };
  }
  if (batch.requested === undefined) await ports.update({ requested });
  const brought = await bringToOpenai(batch, ports);
  if ('refusal' in brought) {
    const { name: refusal, message: reason } = brought.refusal;
    // On record first: once a claim is released, nothing may be requested under it any more.
    await ports.update({ refusal, reason });
    return await refuse({ ...batch, requested, refusal, reason }, ports);
  }
  await ports.update(
    { status: 'PENDING', openai_batch_id: brought.openai_batch_id },
    { endLease: true },
  );
  return { ...submission, status: 'submitted', requested, ...brought };
}

/** @returns the batch, leased; undefined when it is not ours to submit. */
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

async function refuse(batch: BatchSummary, { end }: SubmitBatchPorts): Promise<SubmitBatchOutput> {
  const { reason = null } = batch;
  const { released } = await end(batch, { status: 'FAILED', reason, prompt_tokens: 0 });
  return refused({ ...batch, released });
}

function refused(batch: BatchSummary): SubmitBatchOutput {
  const { batch_id, batch_type, refusal = '', reason = '', released = 0 } = batch;
  return { batch_id, batch_type, status: 'refused', error: refusal, cause: reason, released };
}

/** An earlier try of this execution was done except for its answer; or another execution submits it. */
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

export interface BringToOpenaiPorts {
  /** @throws ConcurrentUpdate when the lease is lost, or the record is not as it was read. */
  readonly update: (changes: BatchChanges, options?: BatchUpdateOptions) => Promise<void>;
  /** @returns the id of the file at OpenAI. */
  readonly upload: () => Promise<string>;
  /** Creates the batch at OpenAI. @returns its id. */
  readonly createAtOpenai: (inputFileId: string) => Promise<string>;
  /** The batch at OpenAI that was created for ours, if any. */
  readonly findAtOpenai: (since: Date) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** OpenAI does not take what it is given, and would not take it a second time either. */
interface Refused {
  readonly refusal: Error;
}

export type BroughtToOpenai =
  | {
      readonly openai_batch_id: string;
      /** It had been created by an earlier try, whose answer was lost. */
      readonly adopted: boolean;
    }
  | Refused;

/**
 * Makes a batch at OpenAI out of a batch's requests. Before it is created it is looked for there, if an earlier try may
 * have created it. Only what OpenAI answers about the file or the batch itself is a refusal: whatever else fails, the batch may exist.
 *
 * @throws RateLimited, UpstreamUnavailable, and what the ports throw.
 */
async function bringToOpenai(
  { input_file_id, creating_since }: BatchSummary,
  ports: BringToOpenaiPorts,
): Promise<BroughtToOpenai> {
  let file = input_file_id ?? (await uploadAnew(ports));
  if (typeof file !== 'string') return file;
  if (creating_since !== undefined) {
    const found = await lookForIt(creating_since, ports);
    if (found !== undefined) return { openai_batch_id: found, adopted: true };
  }
  let since = creating_since;
  const begin = async (): Promise<void> => {
    since = await beginCreation(since, ports);
  };
  if (input_file_id !== undefined) {
    const created = await createOnce(file, begin, ports);
    if (typeof created === 'string') return { openai_batch_id: created, adopted: false };
    if (!blamesFile(created.refusal)) return created;
    // It is of an earlier try, and may have expired or been deleted since.
    file = await uploadAnew(ports);
    if (typeof file !== 'string') return file;
  }
  const created = await createOfNewFile(file, begin, ports);
  return typeof created === 'string' ? { openai_batch_id: created, adopted: false } : created;
}

async function uploadAnew({ upload, update }: BringToOpenaiPorts): Promise<string | Refused> {
  const uploaded = await refusable(upload());
  if (typeof uploaded === 'string') await update({ input_file_id: uploaded });
  return uploaded;
}

/** How often the creation is tried of a batch whose input file OpenAI does not know yet, and how long the n-th wait is. */
const FILE_TRIES = 4;
const FILE_WAIT_MS = 1_000;

async function createOfNewFile(
  inputFileId: string,
  begin: () => Promise<void>,
  ports: BringToOpenaiPorts,
): Promise<string | Refused> {
  for (let tries = 1; ; tries++) {
    const created = await createOnce(inputFileId, begin, ports);
    if (typeof created === 'string' || !blamesFile(created.refusal) || tries === FILE_TRIES) {
      return created;
    }
    await ports.sleep(FILE_WAIT_MS * tries);
  }
}

async function createOnce(
  inputFileId: string,
  begin: () => Promise<void>,
  { createAtOpenai }: BringToOpenaiPorts,
): Promise<string | Refused> {
  await begin();
  return await refusable(createAtOpenai(inputFileId));
}

/**
 * From here on the batch may exist.
 *
 * @param read when it may have existed from, as it was read.
 * @returns when it may exist from now on.
 */
async function beginCreation(
  read: string | undefined,
  { update, clock }: BringToOpenaiPorts,
): Promise<string> {
  const now = clock();
  const since = toTimestamp(now);
  await update({ creating_since: since }, { creatingSince: { read } });
  // An invocation that was held up here, for longer than its lease lasts, must not create what another one may create by now.
  if (clock().getTime() - now.getTime() < MOST_DELAY_MS) return since;
  throw new ConcurrentUpdate('the submission was held up before it could create its batch');
}

/** Well below what a lease lasts. */
const MOST_DELAY_MS = 60_000;
const LOOKS_EVERY_MS = 2_000;

async function lookForIt(
  creatingSince: string,
  { findAtOpenai, clock, sleep }: BringToOpenaiPorts,
): Promise<string | undefined> {
  const since = epochMilliseconds(creatingSince);
  for (;;) {
    const found = await findAtOpenai(new Date(since));
    if (found !== undefined || clock().getTime() - since >= SETTLING_MS) return found;
    await sleep(LOOKS_EVERY_MS);
  }
}

async function refusable(request: Promise<string>): Promise<string | Refused> {
  try {
    return await request;
  } catch (error) {
    if (isRefusal(error)) return { refusal: error };
    throw error;
  }
}

function isRefusal(error: unknown): error is Error {
  return (
    error instanceof InvalidRequest ||
    error instanceof InvalidConfiguration ||
    error instanceof QuotaExhausted ||
    // The account's queue is full: it takes this batch once others have ended, hours from now.
    (error instanceof RateLimited && error.vendor_code === 'token_limit_exceeded')
  );
}
