import {
  type BatchSummary,
  type EmbeddingBatchResult,
  isEnded,
} from 'receipt-embedding/entities/batch';
import type { Row } from 'receipt-embedding/entities/keys';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { expect } from 'vitest';
import type { BatchStack, EntityRow } from './batch_stack.ts';
import { wordInput } from './invariants.ts';
import {
  type Delivered,
  leftMarks,
  readDelivered,
  receiptOfId,
  storeProblems,
  unfoundedSuccess,
} from './store_invariants.ts';
import type { StoredVector } from './stored_vectors.ts';

/**
 * What holds whatever went wrong, between any two executions: counts add up and are those of the recorded results; a
 * claim has an owner that is still at work; no two live batches ask for the same line or word; whatever is SUCCESS is in the log
 * and in every store as it is; each store has what the records say, the vectors of what was asked; one batch of ours is at most one
 * at OpenAI.
 */
export async function expectBatchInvariants(stack: BatchStack): Promise<void> {
  expect(await batchProblems(stack)).toStrictEqual([]);
}

/** What does not hold of that. */
export async function batchProblems(stack: BatchStack): Promise<string[]> {
  const state = await stateOf(stack);
  return [
    ...state.batches.flatMap((batch) => wrongBatch(batch, state)),
    ...(await stack.rowsOfType('BATCH_SUMMARY')).flatMap(wrongIndex),
    ...state.results.flatMap((result) => wrongResult(result, state)),
    ...state.entities.flatMap((entity) => wrongEntity(entity, state)),
    ...askedTwice(state),
    ...unfoundedSuccess(state.entities, state.delivered),
    ...storeProblems(state.delivered),
    ...leftMarks(state.delivered, () => stack.harmed || state.batches.some(isLive)),
  ];
}

interface State {
  readonly stack: BatchStack;
  readonly batches: readonly BatchSummary[];
  readonly entities: readonly EntityRow[];
  readonly results: readonly EmbeddingBatchResult[];
  readonly delivered: Delivered;
  /** What was asked for, by batch id. */
  readonly requests: ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;
}

async function stateOf(stack: BatchStack): Promise<State> {
  const batches = await stack.batches();
  return {
    stack,
    batches,
    entities: await stack.entities(),
    results: await stack.results(),
    delivered: await readDelivered(stack),
    requests: new Map(batches.map(({ batch_id }) => [batch_id, stack.requests(batch_id)])),
  };
}

function wrongBatch(batch: BatchSummary, { stack, results, requests }: State): string[] {
  const { batch_id, status, requested, succeeded, failed, released, claimed_by } = batch;
  const about = `batch ${batch_id} (${status})`;
  const problems: string[] = [];
  if (stack.openaiBatches(batch_id).length > 1) problems.push(`${about} is at OpenAI twice`);
  if (!isEnded(status)) return problems;
  const recorded = (wanted: string): number =>
    results.filter((result) => result.batch_id === batch_id && result.status === wanted).length;
  const counts = [requested, succeeded, failed, released].join(', ');
  if (requested !== (succeeded ?? NaN) + (failed ?? NaN) + (released ?? NaN)) {
    problems.push(`${about} does not add up: ${counts}`);
  }
  if (succeeded !== recorded('SUCCESS') || failed !== recorded('FAILED')) {
    problems.push(`${about} counts ${counts}, but has other results`);
  }
  const asked = requests.get(batch_id)?.size ?? 0;
  if (asked > 0 && batch.openai_batch_id !== 'N/A' && requested !== asked) {
    problems.push(`${about} counts ${counts}, but asked for ${asked}`);
  }
  if (claimed_by !== undefined) problems.push(`${about} is claimed by ${claimed_by}`);
  return problems;
}

function wrongIndex({ PK, ...row }: Row): string[] {
  const [status, key] = [String(row['status']), String(row['GSI1PK'])];
  return key === `STATUS#${status}` ? [] : [`${PK} is ${status}, but indexed as ${key}`];
}

function wrongResult(
  { batch_id, pinecone_id, status, text }: EmbeddingBatchResult,
  { batches, entities, requests, delivered }: State,
): string[] {
  const about = `the result ${status} of ${pinecone_id} in ${batch_id}`;
  const problems: string[] = [];
  if (!batches.some((batch) => batch.batch_id === batch_id)) problems.push(`${about}: no batch`);
  if (status !== 'SUCCESS' && status !== 'FAILED') problems.push(`${about}: no such status`);
  const asked = requests.get(batch_id);
  if (asked?.has(pinecone_id) !== true) problems.push(`${about} was not asked for`);
  const entity = entities.find(({ id }) => id === pinecone_id);
  if (status !== 'SUCCESS' || entity?.status !== 'SUCCESS' || entity.text !== text) return problems;
  const logged = delivered.receipts.get(receiptOfId(pinecone_id))?.held.get(pinecone_id);
  const requested = [...requests.values()].flatMap((asked) => asked.get(pinecone_id) ?? []);
  // What an older system asked for is not known, and was of another form.
  if (logged === undefined || requested.length === 0) return problems;
  // Another batch, or realtime, may have asked for it since, with other neighbours.
  const inputs = [...requested, inputIn({ ...logged.metadata })];
  if (!inputs.some((input) => isVectorOf({ values: logged.vector }, input))) {
    problems.push(`${about} has the vector of something else`);
  }
  return problems;
}

/** What a vector's metadata, in the log or in any store, says that it was made of. */
export function inputIn(metadata: Readonly<Record<string, unknown>>): string {
  const text = String(metadata['text']);
  return metadata['embedding_type'] === 'line'
    ? text
    : wordInput({ document: text, metadata: metadata as never });
}

function wrongEntity(entity: EntityRow, { batches }: State): string[] {
  const { id, status, owner } = entity;
  const problems: string[] = [];
  if (entity['GSI1PK'] !== `EMBEDDING_STATUS#${status}`) {
    problems.push(`${id} is ${status}, but indexed as ${String(entity['GSI1PK'])}`);
  }
  if (owner !== undefined && status !== 'PENDING') problems.push(`${id} is ${status}, and claimed`);
  if (owner !== undefined && !batches.some((batch) => batch.batch_id === owner && isLive(batch))) {
    problems.push(`${id} is claimed by ${owner}, which is not at work`);
  }
  return problems;
}

/** What two batches that have not ended both ask for. */
function askedTwice({ batches, requests }: State): string[] {
  const askedBy = new Map<string, string>();
  const problems: string[] = [];
  for (const { batch_id } of batches.filter(isLive)) {
    for (const id of requests.get(batch_id)?.keys() ?? []) {
      const other = askedBy.get(id);
      if (other !== undefined) problems.push(`${id} is asked for by ${other} and ${batch_id}`);
      askedBy.set(id, batch_id);
    }
  }
  return problems;
}

function isLive({ status }: BatchSummary): boolean {
  return !isEnded(status);
}

/** Whether it is the vector of this input, as the stand-in makes them. */
export function isVectorOf({ values }: Pick<StoredVector, 'values'>, input: string): boolean {
  const expected = embedText(input, values.length);
  return expected.every((value, at) => value === values[at]);
}
