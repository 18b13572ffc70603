import {
  type BatchSummary,
  type EmbeddingBatchResult,
  isEnded,
} from 'receipt-embedding/entities/batch';
import type { Row } from 'receipt-embedding/entities/keys';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { expect } from 'vitest';
import type { BatchStack, EntityRow } from './batch_stack.ts';
import { storedRuns, type StoredVector } from './stored_vectors.ts';

/**
 * What holds whatever went wrong, between any two executions: counts add up and are those of the recorded results; a
 * claim has an owner that is still at work; no two live batches ask for the same line or word; whatever is SUCCESS has a
 * record, and its vector, that of what was asked, is in Pinecone or in a delta; one batch of ours is at most one at OpenAI.
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
    ...vectorsNobodyAskedFor(state),
  ];
}

interface State {
  readonly stack: BatchStack;
  readonly batches: readonly BatchSummary[];
  readonly entities: readonly EntityRow[];
  readonly results: readonly EmbeddingBatchResult[];
  /** By vector id. */
  readonly vectors: ReadonlyMap<string, StoredVector>;
  /** What was asked for, by batch id. */
  readonly requests: ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;
  /** `{id} {text}` of what the realtime path has recorded. */
  readonly inDeltas: ReadonlySet<string>;
}

async function stateOf(stack: BatchStack): Promise<State> {
  const batches = await stack.batches();
  const { lines, words } = await stack.vectors();
  const runs = await storedRuns(stack);
  return {
    stack,
    batches,
    entities: await stack.entities(),
    results: await stack.results(),
    vectors: new Map([...lines, ...words]),
    requests: new Map(batches.map(({ batch_id }) => [batch_id, stack.requests(batch_id)])),
    inDeltas: new Set(
      runs.flatMap((run) =>
        [...run.lines, ...run.words].map(({ id, document }) => `${id} ${document}`),
      ),
    ),
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
  { batches, entities, requests, vectors }: State,
): string[] {
  const about = `the result ${status} of ${pinecone_id} in ${batch_id}`;
  const problems: string[] = [];
  if (!batches.some((batch) => batch.batch_id === batch_id)) problems.push(`${about}: no batch`);
  if (status !== 'SUCCESS' && status !== 'FAILED') problems.push(`${about}: no such status`);
  const asked = requests.get(batch_id);
  if (asked?.has(pinecone_id) !== true) problems.push(`${about} was not asked for`);
  const entity = entities.find(({ id }) => id === pinecone_id);
  if (status !== 'SUCCESS' || entity?.status !== 'SUCCESS' || entity.text !== text) return problems;
  const vector = vectors.get(pinecone_id);
  if (vector?.metadata['text'] !== text) problems.push(`${about} has no vector, or another text's`);
  // Another batch may have asked for it since, with other neighbours.
  const inputs = [...requests.values()].flatMap((asked) => asked.get(pinecone_id) ?? []);
  if (
    vector !== undefined &&
    inputs.length > 0 &&
    !inputs.some((input) => isVectorOf(vector, input))
  ) {
    problems.push(`${about} has the vector of something else`);
  }
  return problems;
}

function wrongEntity(entity: EntityRow, { batches, results, inDeltas }: State): string[] {
  const { id, text, status, owner } = entity;
  const problems: string[] = [];
  if (entity['GSI1PK'] !== `EMBEDDING_STATUS#${status}`) {
    problems.push(`${id} is ${status}, but indexed as ${String(entity['GSI1PK'])}`);
  }
  if (owner !== undefined && status !== 'PENDING') problems.push(`${id} is ${status}, and claimed`);
  if (owner !== undefined && !batches.some((batch) => batch.batch_id === owner && isLive(batch))) {
    problems.push(`${id} is claimed by ${owner}, which is not at work`);
  }
  const recorded = results.some(
    (result) => result.pinecone_id === id && result.status === 'SUCCESS' && result.text === text,
  );
  if (status === 'SUCCESS' && !recorded && !inDeltas.has(`${id} ${text}`)) {
    problems.push(`${id} is SUCCESS, but no record holds it as it is`);
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

function vectorsNobodyAskedFor({ vectors, requests }: State): string[] {
  const asked = new Set([...requests.values()].flatMap((ids) => [...ids.keys()]));
  return [...vectors.keys()]
    .filter((id) => !asked.has(id))
    .map((id) => `${id} is in Pinecone, and nobody asked for it`);
}

function isLive({ status }: BatchSummary): boolean {
  return !isEnded(status);
}

/** Whether it is the vector of this input, as the stand-in makes them. */
export function isVectorOf({ values }: StoredVector, input: string): boolean {
  const expected = embedText(input, values.length);
  return expected.every((value, at) => value === values[at]);
}
