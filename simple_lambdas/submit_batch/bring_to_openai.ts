import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { epochMilliseconds, toTimestamp } from 'receipt-embedding/entities/keys';
import { InvalidConfiguration, InvalidRequest, QuotaExhausted } from 'receipt-embedding/errors';
import type { Clock } from 'receipt-embedding/ports';
import type { BatchChanges } from 'receipt-embedding/table/batch_summaries';

export interface BringToOpenaiPorts {
  /** @throws ConcurrentUpdate when the claim is lost. */
  readonly update: (changes: BatchChanges) => Promise<void>;
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
 * have created it. Only what OpenAI says to the file or to the batch itself is a refusal: whatever else fails, the batch may be there.
 *
 * @throws RateLimited, UpstreamUnavailable, and what the ports throw.
 */
export async function bringToOpenai(
  { input_file_id, creating_since }: BatchSummary,
  ports: BringToOpenaiPorts,
): Promise<BroughtToOpenai> {
  let inputFileId = input_file_id;
  if (inputFileId === undefined) {
    const uploaded = await refusable(ports.upload());
    if (typeof uploaded !== 'string') return uploaded;
    inputFileId = uploaded;
    await ports.update({ input_file_id: inputFileId });
  }
  if (creating_since !== undefined) {
    const found = await lookForIt(creating_since, ports);
    if (found !== undefined) return { openai_batch_id: found, adopted: true };
  }
  const created = await create(inputFileId, ports);
  return typeof created === 'string' ? { openai_batch_id: created, adopted: false } : created;
}

async function create(
  inputFileId: string,
  { update, createAtOpenai, clock }: BringToOpenaiPorts,
): Promise<string | Refused> {
  // From here on it may exist.
  await update({ creating_since: toTimestamp(clock()) });
  try {
    return await refusable(createAtOpenai(inputFileId));
  } catch (error) {
    // After half a minute without an answer it may still come to be: the time to settle begins now.
    await update({ creating_since: toTimestamp(clock()) });
    throw error;
  }
}

/** How long a batch may take to appear in OpenAI's list once it was asked for. */
const SETTLING_MS = 20_000;
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
    error instanceof QuotaExhausted
  );
}
