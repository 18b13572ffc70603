import { type BatchSummary, isEnded } from 'receipt-embedding/entities/batch';
import type { BatchView } from 'vendor-stand-ins/openai/batch_script';
import type { ChaosRun } from './chaos_run.ts';
import type { RowChange } from './chaos_receipts.ts';

/** For each batch of ours that OpenAI was asked for there is one at OpenAI, and what was bought there is used. */
export async function purchaseProblems(run: ChaosRun): Promise<string[]> {
  const { stack, openaiBatches } = run;
  const batches = await stack.batches();
  const known = new Set(batches.map(({ batch_id }) => batch_id));
  const unknown = openaiBatches
    .filter(({ metadata }) => !known.has(metadata?.['batch_id'] ?? ''))
    .map(({ id }) => `${id} is at OpenAI, and no batch of ours`);
  const wrong = await Promise.all(batches.map((batch) => wrongPurchases(batch, run)));
  return [...unknown, ...wrong.flat()];
}

async function wrongPurchases(batch: BatchSummary, run: ChaosRun): Promise<string[]> {
  const { batch_id, status, openai_batch_id, reason = 'no reason' } = batch;
  const about = `batch ${batch_id} (${status}, ${openai_batch_id}, ${reason})`;
  const there = run.stack.openaiBatches(batch_id);
  const [only] = there;
  if (there.length > 1 || (openai_batch_id !== 'N/A' && only?.id !== openai_batch_id)) {
    return [`${about} is at OpenAI as ${there.map(({ id }) => id).join(', ') || 'nothing'}`];
  }
  if (only === undefined || !isEnded(status)) return [];
  const thrownAway = await rowsThrownAway(batch, only, run);
  return thrownAway.length === 0
    ? []
    : [`${about} was bought, and good rows thrown away: ${thrownAway.join(', ')}`];
}

/**
 * The rows that OpenAI has embedded, and that are of no use: lines and words without a result, although nobody had touched them
 * since they were asked for when the batch ended. Neither the other path nor another batch takes a result away.
 */
async function rowsThrownAway(
  { batch_id, completed_at = '' }: BatchSummary,
  { id: openaiBatchId }: BatchView,
  { stack, changes }: ChaosRun,
): Promise<string[]> {
  const results = await stack.results(batch_id);
  const used = new Set(
    results.filter(({ status }) => status === 'SUCCESS').map(({ pinecone_id }) => pinecone_id),
  );
  const requests = stack.requests(batch_id);
  const ended = Date.parse(completed_at);
  return stack.local.openai.batches
    .embeddedIn(openaiBatchId)
    .filter((id) => !used.has(id) && isUntouched(id, requests.get(id) ?? '', changes, ended));
}

/**
 * Whether a line or word was still what was asked for. No row comes back to an earlier text, or from the dead.
 *
 * @param until what began after it came too late to matter; epoch milliseconds.
 */
function isUntouched(
  id: string,
  input: string,
  changes: readonly RowChange[],
  until: number,
): boolean {
  const ofRow = changes.filter((change) => change.id === id);
  const toWhatWasAsked = ofRow.find(({ text }) => text !== undefined && isTextOf(text, input));
  return !ofRow.some(
    (change) =>
      change !== toWhatWasAsked &&
      change.begun <= until &&
      change.ended >= (toWhatWasAsked?.begun ?? 0),
  );
}

/** Whether an input was made from a line or word of this text: a word's neighbours may have been any. */
export function isTextOf(text: string, input: string): boolean {
  return input === text || input.startsWith(`<TARGET>${text}</TARGET>`);
}
