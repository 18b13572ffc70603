import { openAsBlob } from 'node:fs';
import OpenAI, { NotFoundError } from 'openai';
import { translateOpenAIError } from '../embeddings/openai.ts';
import { type BatchStatus, type BatchSummary, UNKNOWN_ID } from '../entities/batch.ts';
import { epochMilliseconds } from '../entities/keys.ts';
import {
  InvalidConfiguration,
  InvalidReceiptData,
  InvalidRequest,
  UpstreamUnavailable,
} from '../errors.ts';
import { describeOpenAIError, readOpenAIError } from '../vendor_answers/openai.ts';
import { fieldOf } from '../vendor_answers/verdict.ts';

/** Ten minutes for 200 MB, all tries of the client together: that fits the 15 minutes of a function, whatever keeps silent. */
const UPLOAD_LIMIT_MS = 600_000;
const CREATION_TIMEOUT_MS = 30_000;

/**
 * How long after it was asked for a batch may still appear in OpenAI's list: as long as its creation may take, which is sent
 * once, and a minute.
 */
export const SETTLING_MS = CREATION_TIMEOUT_MS + 60_000;

/** Under this name a batch at OpenAI carries our id, by which a lost one is found again. */
const METADATA_KEY = 'batch_id';

/**
 * Uploads the requests of a batch. Repeating it costs nothing: a file that no batch is made of is only kept for a while.
 *
 * @param path of a file of at most 200 MB, OpenAI's limit.
 * @returns the id of the file at OpenAI, for instance `file-abc123`.
 * @throws the layer's errors; UpstreamUnavailable when it is not done within the limit.
 */
export async function uploadBatchRequests(
  client: OpenAI,
  path: string,
  batchId: string,
  limitMs = UPLOAD_LIMIT_MS,
): Promise<string> {
  // A blob that reads the file while it is sent.
  const file = new File([await openAsBlob(path)], `${batchId}.jsonl`);
  return await translated(async () => {
    const created = await client.files.create(
      { file, purpose: 'batch' },
      { timeout: limitMs, signal: AbortSignal.timeout(limitMs) },
    );
    return idOf(created);
  });
}

/**
 * Creates the batch at OpenAI. It is not repeated when no answer comes, since it may have been created all the same: whoever
 * tries again looks for it first. @see findOpenaiBatch
 *
 * @returns the id of the batch at OpenAI, for instance `batch_abc123`.
 * @throws the layer's errors; after RateLimited or UpstreamUnavailable the batch may exist.
 */
export async function createOpenaiBatch(
  client: OpenAI,
  inputFileId: string,
  batchId: string,
): Promise<string> {
  return await translated(async () => {
    const created = await client.batches.create(
      {
        input_file_id: inputFileId,
        endpoint: '/v1/embeddings',
        completion_window: '24h',
        metadata: { [METADATA_KEY]: batchId },
      },
      { maxRetries: 0, timeout: CREATION_TIMEOUT_MS },
    );
    return idOf(created);
  });
}

/**
 * Whether the creation of a batch failed for its input file. Of a file that was uploaded a moment ago that is no verdict: OpenAI
 * may not know it everywhere yet.
 */
export function blamesFile(error: unknown): boolean {
  return error instanceof InvalidRequest && error.fault === 'vendor';
}

/** Clocks differ; OpenAI's may be so much behind ours. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * The batch that was created for our id, if any. OpenAI lists the newest first, so it is looked for among those that
 * are younger than `since`.
 * @example
 * ```ts
 * await findOpenaiBatch(client, '0b6a…', new Date('2025-03-01T10:00:00Z')); // 'batch_abc123'
 * ```
 */
export async function findOpenaiBatch(
  client: OpenAI,
  batchId: string,
  since: Date,
): Promise<string | undefined> {
  const oldest = (since.getTime() - CLOCK_TOLERANCE_MS) / 1_000;
  return await translated(async () => {
    for await (const batch of client.batches.list({ limit: 100 })) {
      if (batch.metadata?.[METADATA_KEY] === batchId) return idOf(batch);
      if (batch.created_at < oldest) return undefined;
    }
    return undefined;
  });
}

/** How a batch stands at OpenAI. */
export interface OpenaiBatchStatus {
  readonly status: Exclude<BatchStatus, 'SUBMITTING' | 'PENDING'>;
  readonly input_file_id: string;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  /** Why it failed, as OpenAI says. */
  readonly reason: string | null;
}

const STATUSES = {
  validating: 'VALIDATING',
  in_progress: 'IN_PROGRESS',
  finalizing: 'FINALIZING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  expired: 'EXPIRED',
  cancelling: 'CANCELLING',
  cancelled: 'CANCELLED',
} as const satisfies Record<OpenAI.Batch['status'], BatchStatus>;

/** As long as fits a row, a log line and an execution's result. */
const REASON_CHARACTERS = 500;

/**
 * How a batch stands at OpenAI now.
 *
 * @returns undefined when OpenAI knows no such batch.
 * @throws InvalidReceiptData for a status that this system does not know.
 * @example
 * ```ts
 * await getOpenaiBatchStatus(client, 'batch_abc123');
 * // { status: 'COMPLETED', input_file_id: 'file-1', output_file_id: 'file-2', error_file_id: null, reason: null }
 * ```
 */
export async function getOpenaiBatchStatus(
  client: OpenAI,
  openaiBatchId: string,
): Promise<OpenaiBatchStatus | undefined> {
  return await translated(async () => {
    const batch = await found(client.batches.retrieve(openaiBatchId));
    if (batch === undefined) return undefined;
    const status = (STATUSES as Readonly<Partial<Record<string, OpenaiBatchStatus['status']>>>)[
      batch.status
    ];
    if (status === undefined) {
      throw new InvalidReceiptData(
        `OpenAI names a status of the batch ${openaiBatchId} that is not known here`,
      );
    }
    return {
      status,
      input_file_id: fileId(batch.input_file_id) ?? UNKNOWN_ID,
      output_file_id: fileId(batch.output_file_id),
      error_file_id: fileId(batch.error_file_id),
      reason: reasonOf(batch),
    };
  });
}

/** In our own words, by the table that judges requests too: OpenAI's may quote a line of the input. */
function reasonOf({ errors }: OpenAI.Batch): string | null {
  const data: unknown = fieldOf(errors, 'data');
  const reasons = (Array.isArray(data) ? data : []).map((error: unknown) => {
    const line = Number(fieldOf(error, 'line') ?? NaN);
    return describeOpenAIError(readOpenAIError(error), Number.isInteger(line) ? line : undefined);
  });
  return reasons.length === 0 ? null : [...new Set(reasons)].join('; ').slice(0, REASON_CHARACTERS);
}

/** Ids at OpenAI, as they may stand in a record, an address and a log. */
const ID =
  /^(?:(?:file|batch)[-_][A-Za-z0-9_-]{1,100}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** @throws UpstreamUnavailable where an answer has no id: what it is of may exist all the same. */
function idOf(answer: unknown): string {
  const id = fieldOf(answer, 'id');
  if (typeof id === 'string' && ID.test(id)) return id;
  throw new UpstreamUnavailable('OpenAI answered without an id');
}

/** @returns null for none. @throws UpstreamUnavailable for what is no id: without its files the batch would count as empty. */
function fileId(id: unknown): string | null {
  if (id == null || id === '') return null;
  if (typeof id === 'string' && ID.test(id)) return id;
  throw new UpstreamUnavailable('OpenAI answered an id of a file that is none');
}

/**
 * @returns the answer; undefined when OpenAI itself says that it has no such batch or file. A base URL without `/v1`, a proxy and
 * a model that does not exist get a 404 too, which says nothing about it.
 */
export async function found<Value>(request: Promise<Value>): Promise<Value | undefined> {
  try {
    return await request;
  } catch (error) {
    if (saysNoSuchObject(error)) return undefined;
    throw error;
  }
}

/** OpenAI's own error object has a type, but no code: only its message tells it from "Invalid URL". */
function saysNoSuchObject(error: unknown): boolean {
  if (!(error instanceof NotFoundError) || error.type !== 'invalid_request_error') return false;
  return /\bno (?:such )?(?:batch|file)\b/i.test(error.message);
}

/** OpenAI's 24 hours for a batch, and a day for what may be late. */
const EXPIRY_MS = 48 * 3_600_000;

/** What says that the key in use is of the project that a batch was made in. */
export interface OwnObjectsPorts {
  readonly client: OpenAI;
  /** Whether this stack's table has a batch of this id, for this batch at OpenAI. */
  readonly isOurs: (batchId: string, openaiBatchId: string) => Promise<boolean>;
  readonly now: Date;
}

/**
 * OpenAI says that it has no such batch or file. A key of another project gets the same answer for ever, and a file that is new
 * may get it for a while. So it is believed past the batch's expiry only, and only when the key in use sees something else that
 * we made: the batch's input file, the batch itself, or another batch.
 *
 * @param what is missing, for the message.
 * @throws InvalidConfiguration when nothing follows from it.
 */
export async function believeMissing(
  batch: Pick<BatchSummary, 'submitted_at' | 'input_file_id' | 'openai_batch_id'>,
  what: string,
  { client, isOurs, now }: OwnObjectsPorts,
): Promise<void> {
  if (now.getTime() - epochMilliseconds(batch.submitted_at) < EXPIRY_MS) {
    throw new InvalidConfiguration(
      `OpenAI answers that it has no ${what}, before the batch can have expired: check that the API key is of the project that the batch was made in`,
    );
  }
  const seen = await translated(async () => {
    const { input_file_id, openai_batch_id } = batch;
    if (isKnownId(input_file_id) && (await found(client.files.retrieve(input_file_id))))
      return true;
    if (isKnownId(openai_batch_id) && (await found(client.batches.retrieve(openai_batch_id)))) {
      return true;
    }
    const { data } = await client.batches.list({ limit: 100 });
    for (const { id, metadata } of data) {
      const ours = metadata?.[METADATA_KEY];
      if (ours !== undefined && (await isOurs(ours, id))) return true;
    }
    return false;
  });
  if (seen) return;
  throw new InvalidConfiguration(
    `OpenAI answers that it has no ${what}, and the API key sees nothing else that this stack has made there: it is of another project`,
  );
}

/**
 * Deletes files at OpenAI, those that are gone already included.
 *
 * @returns how many were there.
 */
export async function deleteOpenaiFiles(
  client: OpenAI,
  fileIds: Iterable<string | null | undefined>,
): Promise<number> {
  let deleted = 0;
  for (const id of new Set(fileIds)) {
    if (!isKnownId(id)) continue;
    const answer = await translated(() => found(client.files.delete(id)));
    if (answer !== undefined) deleted++;
  }
  return deleted;
}

/** Does `work`, whose failures become the layer's errors. @see translateOpenAIError */
export async function translated<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw translateOpenAIError(error);
  }
}

/** Whether a file id names a file. */
export function isKnownId(id: string | null | undefined): id is string {
  return id != null && id !== UNKNOWN_ID;
}
